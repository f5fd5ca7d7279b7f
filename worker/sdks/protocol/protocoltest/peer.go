package protocoltest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// maxMessage is the largest message of a side that names no limit.
const maxMessage = 64 << 20

// Peer is the process's end of a connection. One goroutine at a time may receive, and any
// may send.
type Peer struct {
	net.Conn
	mu sync.Mutex // of writers
}

// Connect connects to a worker's socket and sends a Hello. It tries again for a while if the
// worker does not listen yet.
func Connect(socket string, hello *ProcessHello) (*Peer, error) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			p := &Peer{Conn: conn}
			return p, p.Send(&ProcessFrame{Hello: hello})
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
}

// Send sends a message.
func (p *Peer) Send(f *ProcessFrame) error {
	b, err := EncodeFrame(f)
	if err != nil {
		return err
	}
	return p.SendBytes(b)
}

// SendBytes sends bytes as they are.
func (p *Peer) SendBytes(b []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := p.Write(b)
	return err
}

// Receive returns the next message of the worker.
func (p *Peer) Receive() (*WorkerFrame, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(p, prefix[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(prefix[:])
	if n == 0 || n > maxMessage {
		return nil, fmt.Errorf("the worker sends a frame of %d bytes", n)
	}
	message := make([]byte, n)
	if _, err := io.ReadFull(p, message); err != nil {
		return nil, err
	}
	var f WorkerFrame
	return &f, DecodeFrame(message, &f)
}
