package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/worker/config"
)

// program is one process, in place of a pod with the manifest's container.
type program struct {
	name     string // such as "worker 2", for its lines and errors
	command  *exec.Cmd
	lines    *prefixer
	stopping chan struct{} // closed when the run asks the programs to drain
	ended    chan struct{} // closed when the process has ended; err is set before
	err      error
}

// startPrograms starts count processes of command, each with the manifest's args and
// its own configuration file in dir.
func startPrograms(command string, args []string, cfg config.Config, count int, dir string, s *screen) (*workers, error) {
	var programs []*program
	var urls []string
	stopping := make(chan struct{})
	stop := sync.OnceFunc(func() {
		close(stopping)
		signalAll(programs, syscall.SIGTERM)
	})
	kill := func() { signalAll(programs, syscall.SIGKILL) }
	for i := range count {
		p, address, err := newProgram(command, args, cfg, i, dir, s)
		if err == nil {
			p.stopping = stopping
			err = p.start()
		}
		if err != nil {
			kill()
			return nil, fmt.Errorf("--exec %s: %w", command, err)
		}
		programs, urls = append(programs, p), append(urls, statusURL(address))
	}
	w := &workers{statusURLs: urls, stop: stop, kill: kill, done: make(chan struct{})}
	go w.awaitPrograms(programs, config.KillTimeout(cfg.DrainTimeout.Duration), stopping)
	return w, nil
}

func newProgram(command string, args []string, cfg config.Config, i int, dir string, s *screen) (*program, string, error) {
	address, err := statusAddress(cfg.Telemetry.Listen, i)
	if err != nil {
		return nil, "", err
	}
	cfg.Telemetry.Listen, cfg.Telemetry.LogFormat = address, config.LogText
	content, err := yaml.Marshal(cfg)
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "worker-"+strconv.Itoa(i+1)+".yaml")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		return nil, "", err
	}
	p := &program{name: "worker " + strconv.Itoa(i+1), ended: make(chan struct{})}
	p.lines = &prefixer{prefix: "[" + p.name + "] ", out: s}
	// With exec, signals reach the program and not a shell around it.
	shell := append([]string{"-c", "exec " + command + ` "$@"`, "sh"}, args...)
	p.command = exec.Command("/bin/sh", append(shell, "--config", file)...)
	p.command.Stdout, p.command.Stderr = p.lines, p.lines
	// A process group keeps Ctrl-C on the terminal from the program: this process
	// gets it and asks the program to drain.
	p.command.SysProcAttr = processAttributes()
	return p, address, nil
}

// start starts the process. To the kernel, its parent is the thread that starts it: see
// processAttributes. So one goroutine keeps a thread until the process has ended.
func (p *program) start() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err == nil {
			p.err = p.command.Wait()
			close(p.ended)
		}
	}()
	return <-started
}

// signalAll signals the whole process groups, because a command may be a script.
func signalAll(programs []*program, signal syscall.Signal) {
	for _, p := range programs {
		_ = syscall.Kill(-p.command.Process.Pid, signal) // fails if the program has ended
	}
}

// awaitPrograms waits for all programs. When one ends by itself, it asks the others to
// drain.
func (w *workers) awaitPrograms(programs []*program, patience time.Duration, stopping <-chan struct{}) {
	ended := make(chan error)
	for _, p := range programs {
		go func() { ended <- p.wait() }()
	}
	deadline := make(<-chan time.Time)
	var failures []error
	for left := len(programs); left > 0; {
		select {
		case err := <-ended:
			left--
			failures = append(failures, err)
			w.stop()
		case <-stopping:
			stopping, deadline = nil, time.After(patience)
		case <-deadline:
			failures = append(failures, fmt.Errorf("--exec: a program was still running %s after SIGTERM and was killed", patience))
			w.kill()
		}
	}
	w.err = errors.Join(failures...)
	close(w.done)
}

// wait waits for the program's end. It returns nil if the program has drained because
// the run asked for it, and an error otherwise.
func (p *program) wait() error {
	<-p.ended
	err := p.err
	p.lines.flush()
	asked := false
	select {
	case <-p.stopping:
		asked = true
	default:
	}
	status, _ := p.command.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case err == nil && asked:
		return nil
	case err == nil:
		return fmt.Errorf("--exec: %s ended by itself, without an error", p.name)
	case asked && status.Signal() == syscall.SIGTERM:
		return fmt.Errorf("--exec: %s ended at SIGTERM instead of draining; "+
			"name the program itself, not one that starts it such as go run", p.name)
	default:
		return fmt.Errorf("--exec: %s failed: %w%s", p.name, err, p.lines.tail())
	}
}
