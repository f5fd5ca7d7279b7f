package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"
)

// serverVariable makes this test's program a map server, and says how it answers.
const serverVariable = "BENCH_TEST_MAP_SERVER"

// serveMaps serves Map.MapFn on the socket MAP_SOCKET.
func serveMaps(context.Context) error {
	listener, err := net.Listen("unix", os.Getenv("MAP_SOCKET"))
	if err != nil {
		return err
	}
	return grpc.NewServer(grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(mapFn)).Serve(listener)
}

func mapFn(_ any, stream grpc.ServerStream) error {
	answers := os.Getenv(serverVariable)
	if method, _ := grpc.MethodFromServerStream(stream); method != "/map.v1.Map/MapFn" {
		return errors.New("there is no method " + method)
	}
	for first := true; ; first = false {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer := message
		if !first {
			answer = mapResponse(message, answers)
		} else if !bytes.Equal(message, handshake) {
			return errors.New("the first message is no handshake")
		}
		if first && answers == "no handshake" {
			answer = nil
		}
		if err := stream.SendMsg(answer); err != nil {
			return err
		}
	}
}

// mapResponse returns the answer to a MapRequest.
func mapResponse(message []byte, answers string) (b []byte) {
	_ = eachField(message, func(num protowire.Number, content []byte) error {
		if num == 2 && answers == "strange ids" {
			content = []byte("x")
		}
		if num == 1 {
			content = mapResult(content, answers)
		}
		b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), content)
		return nil
	})
	return b
}

func mapResult(request []byte, answers string) (b []byte) {
	_ = eachField(request, func(num protowire.Number, content []byte) error {
		switch {
		case num > 2:
			return nil
		case num == 2 && answers == "other values":
			content = []byte("other")
		}
		b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), content)
		return nil
	})
	return b
}
