// Command grpcecho is the processor echo over gRPC, with the same code for the messages. It
// shows what gRPC costs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"github.com/millrace-dev/millrace/worker/bench/processors/internal/echo"
	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

func main() {
	connections, err := strconv.Atoi(os.Getenv("MILLRACE_PROCESSES"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpcecho: MILLRACE_PROCESSES:", err)
		os.Exit(1)
	}
	var group errgroup.Group
	for range connections {
		group.Go(func() error { return serve(os.Getenv("MILLRACE_SOCKET")) })
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "grpcecho:", err)
		os.Exit(1)
	}
}

const maxMessage = 64 << 20

// serve answers the batches of one connection, one after another.
func serve(socket string) error {
	client, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), grpc.MaxCallRecvMsgSize(maxMessage), grpc.WaitForReady(true)))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	call, err := client.NewStream(context.Background(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, protocol.Method)
	if err != nil {
		return err
	}
	// gRPC keeps a message until it is written, so each has its own memory.
	send := func(start, end []byte) error {
		message := slices.Concat(start, end)
		return call.SendMsg(&message)
	}
	var process echo.Process
	if err := process.Hello(send); err != nil {
		return err
	}
	for {
		var message []byte
		if err := call.RecvMsg(&message); err != nil {
			return err
		}
		if err := process.Answer(message, send); errors.Is(err, echo.ErrClosed) {
			return call.CloseSend()
		} else if err != nil {
			return err
		}
	}
}

// raw is a codec for messages that are encoded already, as *[]byte.
type raw struct{}

// Marshal implements encoding.CodecV2.
func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

// Unmarshal implements encoding.CodecV2.
func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// Name implements encoding.CodecV2.
func (raw) Name() string { return "proto" }
