package kafka

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// maxTransfer bounds one system call of a socket, in bytes: what it copies takes
// a goroutine's processor away from others for a few dozen microseconds.
const maxTransfer = 256 << 10

// socket is a TCP connection that makes its system calls without a notice to the Go
// scheduler. They never block, as the file descriptor does not, but the scheduler assumes
// that each call it knows of may block. After the first one that follows a moment without
// work, its monitor looks every 20 us for a while whether it has to act (runtime/proc.go,
// sysmon). A worker has such moments hundreds of times a second, while it waits for a
// broker, and spent a tenth of its processor time on them.
type socket struct {
	*net.TCPConn
	reads, writes transfer
}

// transfer is one direction of a socket. It keeps the function that makes the call, and
// its arguments, so that a call allocates nothing.
type transfer struct {
	mu    sync.Mutex // one call at a time
	trap  uintptr
	op    string
	await func(try func(fd uintptr) (done bool)) error
	try   func(fd uintptr) (done bool)

	bytes []byte // of the call under way
	n     int
	errno syscall.Errno
}

// newSocket returns conn as a socket, if it is one.
func newSocket(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	s := &socket{TCPConn: tcp}
	s.reads.init("read", syscall.SYS_READ, raw.Read)
	s.writes.init("write", syscall.SYS_WRITE, raw.Write)
	return s
}

func (t *transfer) init(op string, trap uintptr, await func(func(uintptr) bool) error) {
	t.op, t.trap, t.await, t.try = op, trap, await, t.call
}

// Read implements net.Conn.
func (s *socket) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.reads.mu.Lock()
	defer s.reads.mu.Unlock()
	n, err := s.reads.once(b)
	if err != nil {
		return 0, s.failed("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Write implements net.Conn.
func (s *socket) Write(b []byte) (written int, err error) {
	s.writes.mu.Lock()
	defer s.writes.mu.Unlock()
	for written < len(b) {
		n, err := s.writes.once(b[written:])
		if err != nil {
			return written, s.failed("write", err)
		}
		written += n
	}
	return written, nil
}

// failed converts an error to the one that a TCPConn would return.
func (s *socket) failed(op string, err error) error {
	if raw, ok := errors.AsType[*net.OpError](err); ok {
		err = raw.Err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: s.LocalAddr(), Addr: s.RemoteAddr(), Err: err}
}

// once transfers some of b as soon as the socket is ready. Needs mu.
func (t *transfer) once(b []byte) (int, error) {
	t.bytes = b[:min(len(b), maxTransfer)]
	err := t.await(t.try)
	t.bytes = nil
	if err != nil {
		return 0, err
	}
	if t.errno != 0 {
		return 0, os.NewSyscallError(t.op, t.errno)
	}
	return t.n, nil
}

// call makes the system call; not done means that the socket is not ready.
func (t *transfer) call(fd uintptr) (done bool) {
	for {
		n, _, errno := syscall.RawSyscall(t.trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.bytes))), uintptr(len(t.bytes)))
		if errno == syscall.EINTR {
			continue
		}
		t.n, t.errno = int(n), errno
		return errno != syscall.EAGAIN
	}
}
