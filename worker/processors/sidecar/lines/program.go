package lines

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// grace is how long a program may run on when its input has ended, or its output.
	grace = 2 * time.Second
	// defaultLimit is the longest line of a program before the worker has said how much it
	// takes, in bytes.
	defaultLimit = 1 << 20
)

// program is one process of the user's program.
type program struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *os.File
	said    *said
	limit   atomic.Int64 // of a line, in bytes
	// lines has the answers, and is closed when no more come; why is set before.
	lines chan []byte
	why   error
	// finished is closed with lines.
	finished chan struct{}
	exited   chan struct{} // closed when the process has ended; err is set before
	err      error
	killed   chan struct{}
	kill     func() // ends the process at once

	mu sync.Mutex
	// Guarded by mu.
	owed      int    // lines
	asked     int    // lines of the present batch
	over      bool   // no more lines come
	idle      bool   // over has come while the program owed no line
	whenIdle  func() // is called then
	abandoned bool   // the connection has ended before the present batch
}

// start starts a process of the program. The caller must call end.
func start(command []string, out *output) (*program, error) {
	p := &program{
		command: exec.Command(command[0], command[1:]...), said: &said{out: out},
		lines: make(chan []byte), finished: make(chan struct{}), exited: make(chan struct{}), killed: make(chan struct{}),
	}
	p.limit.Store(defaultLimit)
	p.kill = sync.OnceFunc(p.killNow)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.out = read
	p.command.Stdout, p.command.Stderr = write, p.said
	p.command.SysProcAttr = processAttributes()
	// A child of the program that lives on with its output must not hold up the end.
	p.command.WaitDelay = time.Second
	p.in, err = p.command.StdinPipe()
	if err == nil {
		err = p.launch()
	}
	_ = write.Close() // the program has it
	if err != nil {
		_ = read.Close()
		return nil, err
	}
	go p.scan()
	return p, nil
}

// launch starts the process. To the kernel, its parent is the thread that starts it: see
// processAttributes. So one goroutine keeps a thread until the process has ended.
func (p *program) launch() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.command.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.command.Wait()
		p.signal(syscall.SIGKILL) // children that the program has left
		close(p.exited)
		time.AfterFunc(grace, func() { _ = p.out.Close() }) // others may keep it open
	}()
	return <-started
}

func (p *program) pid() int { return p.command.Process.Pid }

// setLimit sets the longest line that the program may write, in bytes.
func (p *program) setLimit(bytes int) { p.limit.Store(int64(max(bytes, defaultLimit))) }

// signal signals the process and its children.
func (p *program) signal(s syscall.Signal) {
	_ = syscall.Kill(-p.pid(), s) // fails if all have ended
}

// killNow is kill the first time.
func (p *program) killNow() {
	close(p.killed)
	select {
	case <-p.exited: // its children have been killed, and its number may be another program's
	default:
		p.signal(syscall.SIGKILL)
	}
	_ = p.in.Close() // ends a write to children that are out of reach
}

// end lets the process end, and kills it if it does not.
func (p *program) end() {
	_ = p.in.Close() // the process may have ended
	select {
	case <-p.finished:
	case <-time.After(grace):
	}
	p.kill()
	<-p.exited
	<-p.finished
	_ = p.out.Close()
}

// exit waits for the end of a process that has closed its output, and returns how it ended.
func (p *program) exit() error {
	select {
	case <-p.exited:
	case <-time.After(grace):
		p.kill()
		<-p.exited
		return errors.New("it has closed its standard output")
	}
	last := ""
	if line := p.said.lastLine(); line != "" {
		last = fmt.Sprintf("; its last line: %s", line)
	}
	if p.err == nil {
		return fmt.Errorf("exit status 0%s", last)
	}
	return fmt.Errorf("%w%s", p.err, last)
}
