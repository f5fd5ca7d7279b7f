package protocoltest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

// ConnectGRPC is Connect for a process that speaks gRPC. The frames of its Peer are the
// messages of the call; each Write needs one whole frame.
func ConnectGRPC(socket string, hello *ProcessHello) (*Peer, error) {
	client, err := grpc.NewClient("unix:"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}}),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(Raw{}), grpc.MaxCallRecvMsgSize(maxMessage), grpc.WaitForReady(true)))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := client.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, protocol.Method)
	if err != nil {
		cancel()
		return nil, errors.Join(err, client.Close())
	}
	frames, in := net.Pipe()
	c := &call{Conn: frames, stream: stream, client: client, cancel: cancel, ended: make(chan struct{})}
	go c.receive(in)
	p := &Peer{Conn: c}
	return p, p.Send(&ProcessFrame{Hello: hello})
}

// closeTimeout is how long the worker may take to end a call whose client has ended its part.
const closeTimeout = 5 * time.Second

// call is a call of Process as a connection with frames.
type call struct {
	net.Conn // the frames from the worker
	stream   grpc.ClientStream
	client   *grpc.ClientConn
	cancel   context.CancelFunc
	ended    chan struct{} // closed when the worker sends no more

	mu     sync.Mutex
	closed bool // guarded by mu
}

// receive makes frames of the worker's messages. Nobody may want them any more.
func (c *call) receive(in net.Conn) {
	defer close(c.ended)
	defer func() { _ = in.Close() }()
	for {
		var message []byte
		if err := c.stream.RecvMsg(&message); err != nil {
			return
		}
		_, _ = in.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	}
}

// Write implements net.Conn.
func (c *call) Write(frame []byte) (int, error) {
	if len(frame) < 4 || int(binary.BigEndian.Uint32(frame)) != len(frame)-4 {
		return 0, fmt.Errorf("%d bytes are no frame", len(frame))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	message := frame[4:]
	return len(frame), c.stream.SendMsg(&message)
}

// Close implements net.Conn. It waits until the worker has taken all messages.
func (c *call) Close() error {
	_ = c.Conn.Close() // a pipe closes without errors
	c.closeSend()
	select {
	case <-c.ended:
	case <-time.After(closeTimeout):
	}
	c.cancel()
	return c.client.Close()
}

func (c *call) closeSend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		_ = c.stream.CloseSend() // the call may have ended
	}
}

// Raw is a gRPC codec for messages that are encoded already, as *[]byte.
type Raw struct{}

var _ encoding.CodecV2 = Raw{}

// Marshal implements encoding.CodecV2.
func (Raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

// Unmarshal implements encoding.CodecV2.
func (Raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// Name implements encoding.CodecV2.
func (Raw) Name() string { return "proto" }
