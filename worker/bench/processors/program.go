package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// errExitCode0 is the end of a program without an error.
var errExitCode0 = errors.New("exit code 0")

// stopWait is how long a program may take to end.
const stopWait = 10 * time.Second

// program is a subject's program.
type program struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of Wait, when ended is closed
}

// startProgram starts a subject's program, with its variables and others. The program's output
// goes to standard error.
func startProgram(s subject, env ...string) (*program, error) {
	cmd := exec.Command(s.Exec[0], s.Exec[1:]...)
	cmd.Env = append(append(os.Environ(), s.Env...), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // keeps Ctrl-C from the program
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %q: %w", s.Exec, err)
	}
	p := &program{cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *program) usage() (measure.Usage, error) { return measure.Tree(p.cmd.Process.Pid) }

// await waits until ready reports true, while the program runs.
func (p *program) await(ctx context.Context, ready func() bool) error {
	for !ready() {
		select {
		case <-p.ended:
			return fmt.Errorf("the program has ended before it was ready: %w", cmp.Or(p.err, errExitCode0))
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// stop waits for the program, which has been asked to end, and kills it if it does not.
func (p *program) stop() error {
	select {
	case <-p.ended:
		return p.err
	case <-time.After(stopWait):
		p.kill()
		return fmt.Errorf("the program did not end within %s", stopWait)
	}
}

// kill ends the program and the processes of its group.
func (p *program) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}
