package conformance

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/listen"
)

// session is one check with its program. Its methods end the check when the program does
// something else.
type session struct {
	ctx     context.Context
	opts    Options
	socket  string
	output  output
	command *exec.Cmd
	ended   chan struct{} // closed when the command has ended

	listener *listen.Listener
	links    []*link
}

// listen opens the socket.
func (s *session) listen() {
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.socket, Net: "unix"})
	if err != nil {
		s.failf("listen for the program: %v", err)
	}
	s.listener = listen.New(socket, s.opts.Patience)
}

// start starts the command with so many processes.
func (s *session) start(processes int) {
	s.command = exec.Command("/bin/sh", "-c", "exec "+s.opts.Command)
	s.command.Env = append(os.Environ(), "MILLRACE_SOCKET="+s.socket, fmt.Sprint("MILLRACE_PROCESSES=", processes))
	s.command.Stdout, s.command.Stderr = &s.output, &s.output
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.command.WaitDelay = time.Second
	if err := s.command.Start(); err != nil {
		s.failf("start the program: %v", err)
	}
	s.ended = make(chan struct{})
	go func() {
		_ = s.command.Wait() // code returns how it has ended
		close(s.ended)
	}()
}

// accept waits for the next connection of the program.
func (s *session) accept() *link {
	stream := s.tryAccept()
	if stream == nil {
		s.failf("the program does not connect within %s", s.opts.Patience)
	}
	return s.linkOf(stream)
}

// tryAccept waits for the next connection, and returns nil if none comes or the command ends.
func (s *session) tryAccept() net.Conn {
	deadline := time.Now().Add(s.opts.Patience)
	for s.ctx.Err() == nil && time.Now().Before(deadline) {
		ctx, cancel := context.WithTimeout(s.ctx, 50*time.Millisecond)
		stream, err := s.listener.Accept(ctx)
		cancel()
		if err == nil {
			_ = stream.SetReadDeadline(deadline)
			if s.listener.HasFrames(stream) {
				return stream
			}
			continue
		}
		s.expect(ctx.Err() != nil, "accept the program's connection: %v", err)
		if s.hasEnded() {
			return nil
		}
	}
	return nil
}

// open starts a program of one process and exchanges the Hellos.
func (s *session) open() *link { return s.openWith(terms{}) }

func (s *session) openWith(t terms) *link {
	s.listen()
	s.start(1)
	l := s.accept()
	l.greet(t)
	return l
}

func (s *session) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// code waits for the end of the command and returns its exit code, -1 after a signal.
func (s *session) code() int {
	select {
	case <-s.ended:
		return s.command.ProcessState.ExitCode()
	case <-time.After(s.opts.Patience):
		s.failf("the program does not end within %s", s.opts.Patience)
	case <-s.ctx.Done():
		s.failf("%v", s.ctx.Err())
	}
	return 0
}

// replaced waits until the process that had a connection is gone: the command has ended with
// an error, or another process connects.
func (s *session) replaced() {
	if stream := s.tryAccept(); stream != nil {
		s.linkOf(stream)
		return
	}
	s.expect(s.hasEnded(), "the process neither ends nor is replaced within %s", s.opts.Patience)
	s.expect(s.code() != 0, "the program ends with exit code 0, as if nothing were wrong")
}

// close ends the program and the connections.
func (s *session) close() {
	for _, l := range s.links {
		_ = l.stream.Close()
	}
	if s.ended != nil {
		_ = syscall.Kill(-s.command.Process.Pid, syscall.SIGKILL) // fails if all have ended
		<-s.ended
	}
	if s.listener != nil {
		_ = s.listener.Close()
		over, cancel := context.WithCancel(s.ctx)
		cancel()
		s.listener.Wait(over)
	}
}
