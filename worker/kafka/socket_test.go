//go:build linux

package kafka

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// socketPair returns the two ends of a connection, the first of which is a socket.
func socketPair(t testing.TB) (s *socket, peer *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = accepted.Close() })
	return newSocket(conn).(*socket), accepted.(*net.TCPConn)
}

// TestSocketCarriesBothWays sends more than the kernel buffers both ways at the
// same time, so that each side has to wait.
func TestSocketCarriesBothWays(t *testing.T) {
	s, peer := socketPair(t)
	there, back := make([]byte, 20<<20), make([]byte, 20<<20)
	_, _ = rand.Read(there)
	_, _ = rand.Read(back)
	failed := make(chan error, 3)
	write := func(to io.Writer, b []byte) {
		n, err := to.Write(b)
		if err == nil && n != len(b) {
			err = io.ErrShortWrite
		}
		failed <- err
	}
	go write(s, there)
	go write(peer, back)
	arrived := make([]byte, len(there))
	go func() {
		_, err := io.ReadFull(peer, arrived)
		failed <- err
	}()
	got := make([]byte, len(back))
	if _, err := io.ReadFull(s, got); err != nil {
		t.Fatal(err)
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, back) || !bytes.Equal(arrived, there) {
		t.Error("the bytes that arrived are not those that were sent")
	}
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing returns %d, %v", n, err)
	}
}

// TestSocketFailsAsAConnectionDoes compares its errors with those that callers
// know to tell apart.
func TestSocketFailsAsAConnectionDoes(t *testing.T) {
	block := make([]byte, 32<<20)
	for name, tc := range map[string]struct {
		prepare func(s *socket, peer *net.TCPConn)
		call    func(s *socket) (int, error)
		want    error
	}{
		"read beyond its deadline": {
			func(s *socket, _ *net.TCPConn) { _ = s.SetReadDeadline(time.Now().Add(5 * time.Millisecond)) },
			func(s *socket) (int, error) { return s.Read(make([]byte, 8)) },
			os.ErrDeadlineExceeded,
		},
		"write beyond its deadline": {
			func(s *socket, _ *net.TCPConn) { _ = s.SetWriteDeadline(time.Now().Add(5 * time.Millisecond)) },
			func(s *socket) (int, error) { return s.Write(block) },
			os.ErrDeadlineExceeded,
		},
		"read while it is closed": {
			func(s *socket, _ *net.TCPConn) { time.AfterFunc(5*time.Millisecond, func() { _ = s.Close() }) },
			func(s *socket) (int, error) { return s.Read(make([]byte, 8)) },
			net.ErrClosed,
		},
		"write while it is closed": {
			func(s *socket, _ *net.TCPConn) { time.AfterFunc(5*time.Millisecond, func() { _ = s.Close() }) },
			func(s *socket) (int, error) { return s.Write(block) },
			net.ErrClosed,
		},
		"read what the peer has ended": {
			func(_ *socket, peer *net.TCPConn) { _ = peer.Close() },
			func(s *socket) (int, error) { return s.Read(make([]byte, 8)) },
			io.EOF,
		},
		"read what the peer has reset": {
			func(_ *socket, peer *net.TCPConn) { _ = peer.SetLinger(0); _ = peer.Close() },
			func(s *socket) (int, error) { return s.Read(make([]byte, 8)) },
			syscall.ECONNRESET,
		},
		"write to a peer that has hung up": {
			func(s *socket, peer *net.TCPConn) {
				_ = peer.SetLinger(0)
				_ = peer.Close()
				_, _ = s.Read(make([]byte, 8)) // the reset has arrived, and is told once
			},
			func(s *socket) (int, error) { return s.Write(block) },
			syscall.EPIPE,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, peer := socketPair(t)
			tc.prepare(s, peer)
			n, err := tc.call(s)
			if !errors.Is(err, tc.want) {
				t.Fatalf("%d, %v; want %v", n, err, tc.want)
			}
			if n == len(block) {
				t.Error("everything is said to be written")
			}
			if opErr, ok := errors.AsType[*net.OpError](err); !errors.Is(err, io.EOF) && (!ok || opErr.Op != name[:len(opErr.Op)]) {
				t.Errorf("the error is %v", err)
			}
			if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() != errors.Is(tc.want, os.ErrDeadlineExceeded) {
				t.Errorf("%v says of itself that it is a timeout: %v", err, netErr.Timeout())
			}
		})
	}
}

func TestSocketAllocatesNothing(t *testing.T) {
	s, peer := socketPair(t)
	go func() { _, _ = io.Copy(peer, peer) }()
	b := make([]byte, 1<<10)
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := s.Write(b); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(s, b); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%.1f allocations for a message there and back", allocs)
	}
}

func TestOtherConnectionsAreNoSockets(t *testing.T) {
	one, other := net.Pipe()
	defer func() { _ = one.Close(); _ = other.Close() }()
	if newSocket(one) != one {
		t.Error("a pipe has no system calls")
	}
}
