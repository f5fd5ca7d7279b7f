package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
)

// mapTarget is a map server of Numaflow's SDK, and one stream to it, as Numaflow has one for
// each server. It sends as fast as the server takes: a goroutine has 1,000 records on their way.
type mapTarget struct {
	*program
	conn    *grpc.ClientConn
	stream  grpc.ClientStream
	sending sync.Mutex
	calls   sync.Map // of *mapCall, by the number of their goroutine
	failed  chan struct{}
	err     error // why the stream has ended, when failed is closed
	clean   func()
}

// mapCall is a call under way.
type mapCall struct {
	batch *batch
	done  *atomic.Int64
	left  int
	ended chan struct{} // gets a value when the last result is there
}

func startMapServer(ctx context.Context, s subject) (target, error) {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) }
	socket := filepath.Join(dir, "map.sock")
	program, err := startProgram(s, "MAP_SOCKET="+socket)
	if err != nil {
		clean()
		return nil, err
	}
	t := &mapTarget{program: program, failed: make(chan struct{}), clean: clean}
	if err := t.connect(ctx, socket); err != nil {
		return nil, errors.Join(err, t.stop())
	}
	go t.receive()
	return t, nil
}

// connect waits for the server, opens the stream and shakes hands.
func (t *mapTarget) connect(ctx context.Context, socket string) (err error) {
	t.conn, err = grpc.NewClient("unix:"+socket,
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	if err != nil {
		return err
	}
	err = t.await(ctx, func() bool {
		t.conn.ResetConnectBackoff()
		t.conn.Connect()
		return t.conn.GetState() == connectivity.Ready
	})
	if err != nil {
		return err
	}
	t.stream, err = t.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/map.v1.Map/MapFn")
	if err != nil {
		return fmt.Errorf("open a stream to the map server: %w", err)
	}
	if err := t.stream.SendMsg(handshake); err != nil {
		return fmt.Errorf("shake hands with the map server: %w", err)
	}
	var answer []byte
	if err := t.stream.RecvMsg(&answer); err != nil {
		return fmt.Errorf("shake hands with the map server: %w", err)
	}
	if !isHandshake(answer) {
		return errors.New("the map server does not answer the handshake with one")
	}
	return nil
}

func (t *mapTarget) process(_ context.Context, b *batch, done *atomic.Int64) error {
	c := &mapCall{batch: b, done: done, left: len(b.recs), ended: make(chan struct{}, 1)}
	t.calls.Store(b.number, c)
	for i, rec := range b.recs {
		message := mapRequest(b.number, i, rec)
		t.sending.Lock()
		err := t.stream.SendMsg(message)
		t.sending.Unlock()
		if err != nil {
			break // receive knows why
		}
	}
	select {
	case <-c.ended:
		return nil
	case <-t.failed:
		return t.err
	}
}

// receive takes results until the stream ends.
func (t *mapTarget) receive() {
	defer close(t.failed)
	for {
		var message []byte
		if err := t.stream.RecvMsg(&message); err != nil {
			t.err = fmt.Errorf("read from the map server: %w", err)
			return
		}
		number, index, values, err := parseMapResponse(message)
		if err != nil {
			t.err = err
			return
		}
		c, ok := t.calls.Load(number)
		if !ok || index >= batchRecords {
			t.err = fmt.Errorf("the map server answers record %d of batch %d, which it did not get", index, number)
			return
		}
		c.(*mapCall).take(index, values)
	}
}

func (c *mapCall) take(index int, values [][]byte) {
	for _, value := range values {
		c.batch.outs[index].EmitValue(value)
	}
	c.done.Add(1)
	if c.left--; c.left == 0 {
		c.ended <- struct{}{}
	}
}

// stop kills the server. It has no calls, and keeps nothing.
func (t *mapTarget) stop() error {
	defer t.clean()
	if t.stream != nil {
		_ = t.stream.CloseSend() // the server ends in any case
	}
	t.kill()
	if t.conn == nil {
		return nil
	}
	return t.conn.Close()
}

// eventTime is that of all requests: the server decodes it, whatever it is.
var eventTime = time.Now()
