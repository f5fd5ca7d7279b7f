// Package process runs the child processes of a chaos run: brokers and workers. The
// driver stops, kills and pauses each by its own id, and none outlives the driver.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
)

// Process is a child process. Its methods may be called from any goroutine.
type Process struct {
	process *os.Process
	exited  chan struct{}
	err     error // of its end; read it only after exited is closed
	paused  atomic.Bool
}

// Start starts a command whose process ends with this one, in whichever way this one
// ends. The child is in its own process group, so that an interrupt at the terminal
// reaches the driver only.
func Start(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = attributes()
	p := &Process{exited: make(chan struct{})}
	started := make(chan error, 1)
	go p.run(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run starts the command and waits for its end. To the kernel this thread is the parent
// of the child, which dies with it, so the thread must not end before.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.process = cmd.Process
	started <- nil
	p.err = cmd.Wait()
	close(p.exited)
}

// PID returns the id of the process.
func (p *Process) PID() int { return p.process.Pid }

// Exited returns a channel that is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Running reports whether the process has not ended. A paused process is running.
func (p *Process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Err waits until the process has ended, and returns nil if it exited with code 0.
func (p *Process) Err() error {
	<-p.exited
	return p.err
}

// Terminate asks the process to end (SIGTERM). It does not wait.
func (p *Process) Terminate() { p.signal(syscall.SIGTERM) }

// Kill ends the process at once (SIGKILL), also while it is paused, and waits for its
// end.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

// Pause stops the process (SIGSTOP): its connections stay open, and nobody answers on
// them.
func (p *Process) Pause() {
	p.paused.Store(true)
	p.signal(syscall.SIGSTOP)
}

// Continue ends a pause (SIGCONT).
func (p *Process) Continue() {
	p.signal(syscall.SIGCONT)
	p.paused.Store(false)
}

// Paused reports whether Pause was called and Continue was not.
func (p *Process) Paused() bool { return p.paused.Load() }

// signal sends a signal. os.Process sends none to a process that has ended, whose id may
// be another's by then.
func (p *Process) signal(s syscall.Signal) { _ = p.process.Signal(s) }
