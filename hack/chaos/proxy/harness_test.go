package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// patience is how long the tests wait for a request or an answer.
const patience = 10 * time.Second

// broker answers each request with the request's bytes after the API's key and version,
// and notes the correlation ids.
type broker struct {
	listener net.Listener
	running  sync.WaitGroup

	mu   sync.Mutex
	seen map[uint32]int // guarded by mu; how many times a request has arrived
	came chan struct{}  // gets a value for each request
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{listener: listener, seen: map[uint32]int{}, came: make(chan struct{}, 1000)}
	b.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.running.Go(func() { b.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		b.running.Wait()
	})
	return b
}

func (b *broker) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		frame, err := readFrame(conn)
		if err != nil || len(frame) < requestHeader-4 {
			return
		}
		b.mu.Lock()
		b.seen[binary.BigEndian.Uint32(frame[4:])]++
		b.mu.Unlock()
		b.came <- struct{}{}
		if _, err := conn.Write(framed(frame[4:])); err != nil {
			return
		}
	}
}

func (b *broker) times(correlation uint32) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[correlation]
}

// await waits until a request arrives at the broker.
func (b *broker) await(t *testing.T) {
	t.Helper()
	select {
	case <-b.came:
	case <-time.After(patience):
		t.Fatal("the request did not arrive at the broker")
	}
}

func framed(content []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
}

func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

// client is a connection through a proxy.
type client struct {
	net.Conn
	correlation uint32
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{Conn: conn}
}

// send sends a request of an API.
func (c *client) send(api int16, payload []byte) error {
	c.correlation++
	content := binary.BigEndian.AppendUint16(nil, uint16(api))
	content = binary.BigEndian.AppendUint16(content, 0)
	content = binary.BigEndian.AppendUint32(content, c.correlation)
	_, err := c.Write(framed(append(content, payload...)))
	return err
}

var errOtherBytes = errors.New("the answer has other bytes than the request")

// exchange sends a request and reads its answer.
func (c *client) exchange(api int16, payload []byte) error {
	if err := c.send(api, payload); err != nil {
		return err
	}
	answer, err := readFrame(c)
	if err != nil {
		return err
	}
	if binary.BigEndian.Uint32(answer) != c.correlation || !bytes.Equal(answer[4:], payload) {
		return errOtherBytes
	}
	return nil
}

// silent reports whether nothing comes for a moment.
func (c *client) silent() bool {
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	_, err := c.Read(make([]byte, 1))
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// proxied returns a broker, and the proxies of which the first one is in front of it.
func proxied(t *testing.T) (*broker, *Set) {
	t.Helper()
	b := newBroker(t)
	s, err := Listen(2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.Forward(0, b.listener.Addr().String())
	return b, s
}
