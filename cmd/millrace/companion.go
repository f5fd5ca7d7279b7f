package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/lines"
)

const (
	// The waits before a companion that has ended is started again.
	firstRestart, lastRestart = 200 * time.Millisecond, 10 * time.Second
	// steady is how long a companion has to run until the first wait applies again.
	steady = 30 * time.Second
	// companionGrace is how long a companion may take to end after SIGTERM.
	companionGrace = 5 * time.Second
)

// companion is the command of a processor in other processes. It is started again whenever
// it ends.
type companion struct {
	run *sidecarRun
	log logr.Logger
	// connected reports whether a process has ever connected to the worker.
	connected func() bool
	// useless is told why the command is not started again: it has ended before a process
	// has connected.
	useless func(error)

	// ending is set when the command may end by itself.
	ending   atomic.Bool
	ctx      context.Context // ends when the command has to
	cancel   context.CancelFunc
	finished chan struct{} // closed when the command has ended and is not started again
}

// environment returns the variables of the command.
func (r *sidecarRun) environment() []string {
	return append(os.Environ(), "MILLRACE_SOCKET="+r.socket, "MILLRACE_PROCESSES="+strconv.Itoa(r.processes))
}

// startCompanion starts the command of c. The caller must close c.
func startCompanion(c *companion) *companion {
	c.finished = make(chan struct{})
	c.ctx, c.cancel = context.WithCancel(context.Background())
	go c.keep()
	return c
}

// keep runs the command again and again.
func (c *companion) keep() {
	defer close(c.finished)
	for wait := firstRestart; ; wait = min(2*wait, lastRestart) {
		began := time.Now()
		err := c.runOnce()
		switch {
		case c.ending.Load() || c.ctx.Err() != nil:
			return
		case !c.connected():
			c.useless(fmt.Errorf("--sidecar: the command failed before it had connected to the worker: %w", err))
			return
		case time.Since(began) >= steady:
			wait = firstRestart
		}
		c.log.Error(err, "the sidecar has ended; the command is started again", "wait", wait.String())
		select {
		case <-time.After(wait):
		case <-c.ctx.Done():
			return
		}
	}
}

// runOnce runs the command until it has ended. Its error says how it did.
func (c *companion) runOnce() error {
	out := &prefixer{prefix: "[sidecar] ", out: c.run.screen}
	if c.run.adapter == v1alpha1.LinesAdapter {
		return c.runLines(out)
	}
	p := &program{name: "sidecar", ended: make(chan struct{}), lines: out}
	argv := c.run.argv()
	p.command = exec.Command(argv[0], argv[1:]...)
	p.command.Env = c.run.environment()
	p.command.Stdout, p.command.Stderr = p.lines, p.lines
	p.command.SysProcAttr = processAttributes()
	// A child of the command that lives on with its output must not hold up the end.
	p.command.WaitDelay = time.Second
	if err := p.start(); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-c.ctx.Done():
		p.end()
	}
	signalAll([]*program{p}, syscall.SIGKILL) // children that the command has left
	p.lines.flush()
	err := p.err
	switch {
	case err != nil:
	case c.connected():
		err = errors.New("it ended by itself")
	default:
		err = errors.New("it ended by itself, without an error; a program connects when it calls its SDK's run")
	}
	return fmt.Errorf("%w%s", err, p.lines.tail())
}

// runLines runs the command behind the adapter for lines.
func (c *companion) runLines(out *prefixer) error {
	err := lines.Run(c.ctx, lines.Options{Socket: c.run.socket, Processes: c.run.processes, Command: c.run.argv(), Output: out})
	out.flush()
	if err == nil {
		err = errors.New("it ended by itself")
	}
	return err
}

// argv returns the command as a shell runs it, with the manifest's variables and arguments.
func (r *sidecarRun) argv() []string {
	shell := append([]string{"/bin/sh", "-c", "exec " + r.command + ` "$@"`, "sh"}, r.args...)
	if len(r.variables) == 0 {
		return shell
	}
	return slices.Concat([]string{"env"}, r.variables, shell)
}

// end asks the program to end, and kills it if it does not.
func (p *program) end() {
	signalAll([]*program{p}, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(companionGrace):
		signalAll([]*program{p}, syscall.SIGKILL)
		<-p.ended
	}
}

// close ends the command. Callers may call it more than once.
func (c *companion) close() {
	c.cancel()
	<-c.finished
}
