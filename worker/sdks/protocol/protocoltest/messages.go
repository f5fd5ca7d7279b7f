// Package protocoltest encodes and decodes the protocol's frames from its definition, which
// it compiles. It is slow, and independent of the code of a worker: tests compare the two.
package protocoltest

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/millrace-dev/millrace/worker/sdks/protocol"
)

// The senders of frames.
const (
	Worker  = "worker"
	Process = "process"
)

var definition = sync.OnceValues(func() (protoreflect.FileDescriptor, error) {
	const name = "processor.proto"
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{name: protocol.Definition}),
	})}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return nil, err
	}
	return files[0], nil
})

// NewMessage returns an empty message of the definition, such as Batch.
func NewMessage(name string) (*dynamicpb.Message, error) {
	file, err := definition()
	if err != nil {
		return nil, fmt.Errorf("compile the definition of the protocol: %w", err)
	}
	m := file.Messages().ByName(protoreflect.Name(name))
	if m == nil {
		return nil, fmt.Errorf("the definition of the protocol has no message %s", name)
	}
	return dynamicpb.NewMessage(m), nil
}

func newFrame(from string) (*dynamicpb.Message, error) {
	return NewMessage(map[string]string{Worker: "WorkerFrame", Process: "ProcessFrame"}[from])
}

// Encode returns a frame with the message that text holds in Protobuf's JSON format, in the
// canonical encoding.
func Encode(from string, text []byte) ([]byte, error) {
	m, err := newFrame(from)
	if err != nil {
		return nil, err
	}
	if err := protojson.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("a frame from the %s: %w", from, err)
	}
	message, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...), nil
}

// Decode returns the message in a frame's bytes after its length, in Protobuf's JSON format.
func Decode(from string, message []byte) ([]byte, error) {
	m, err := newFrame(from)
	if err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(message, m); err != nil {
		return nil, fmt.Errorf("a frame from the %s: %w", from, err)
	}
	return protojson.Marshal(m)
}
