package schema

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// protobufCodec converts values of a Protobuf schema, which may hold several messages.
type protobufCodec struct {
	file  protoreflect.FileDescriptor
	types *dynamicpb.Types // of Any
}

// protobufName is the name of the file with the schema itself.
const protobufName = "schema.proto"

func newProtobuf(d definition) (codec, error) {
	files := map[string]string{protobufName: d.Schema.Schema}
	for _, ref := range d.references {
		files[ref.name] = ref.text
	}
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(protobufFiles(files))}
	compiled, err := compiler.Compile(context.Background(), protobufName)
	if err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	if compiled[0].Messages().Len() == 0 {
		return nil, errors.New("it has no message")
	}
	return &protobufCodec{file: compiled[0], types: typesOf(compiled[0])}, nil
}

// protobufFiles are schemas by their names. Each is the text of a file or, as programs without
// that text register it, a serialized FileDescriptorProto in base64.
type protobufFiles map[string]string

// FindFileByPath implements protocompile.Resolver.
func (f protobufFiles) FindFileByPath(name string) (protocompile.SearchResult, error) {
	text, ok := f[name]
	if !ok {
		return protocompile.SearchResult{}, fmt.Errorf("%s is not among the schema's references in the registry", name)
	}
	if serialized, err := base64.StdEncoding.DecodeString(text); err == nil {
		var file descriptorpb.FileDescriptorProto
		if err := proto.Unmarshal(serialized, &file); err == nil {
			file.Name = &name // under which others import it
			return protocompile.SearchResult{Proto: &file}, nil
		}
	}
	return protocompile.SearchResult{Source: strings.NewReader(text)}, nil
}

// typesOf returns the messages of a file and of those that it imports, for values of the type
// google.protobuf.Any.
func typesOf(file protoreflect.FileDescriptor) *dynamicpb.Types {
	files := new(protoregistry.Files)
	var add func(protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if _, err := files.FindFileByPath(f.Path()); err == nil {
			return
		}
		_ = files.RegisterFile(f) // fails for a name that is there, which then stands
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
	}
	add(file)
	return dynamicpb.NewTypes(files)
}

func (c *protobufCodec) record() string { return string(c.file.Messages().Get(0).FullName()) }

// maxIndex bounds how deep messages are nested in one another.
const maxIndex = 100

func (c *protobufCodec) appendJSON(dst, data []byte) ([]byte, error) {
	index, data, err := header.DecodeIndex(data, maxIndex)
	if err != nil {
		return dst, errors.New("the place of its message in the schema can't be read")
	}
	descriptor, err := c.at(index)
	if err != nil {
		return dst, err
	}
	m := dynamicpb.NewMessage(descriptor)
	if err := (proto.UnmarshalOptions{Resolver: c.types}).Unmarshal(data, m); err != nil {
		return dst, fmt.Errorf("message %s: %s", descriptor.FullName(), oneLine(err.Error()))
	}
	v, err := c.value(m)
	if err != nil {
		return dst, fmt.Errorf("message %s: %s", descriptor.FullName(), oneLine(err.Error()))
	}
	return appendJSON(dst, v)
}

// at returns the message at a place: each number is that of a message in the one before.
func (c *protobufCodec) at(index []int) (protoreflect.MessageDescriptor, error) {
	messages := c.file.Messages()
	var found protoreflect.MessageDescriptor
	for _, i := range index {
		if i < 0 || i >= messages.Len() {
			return nil, fmt.Errorf("the schema has no message at the place %v", index)
		}
		found = messages.Get(i)
		messages = found.Messages()
	}
	if found == nil {
		return nil, errors.New("the value names no message")
	}
	return found, nil
}

func (c *protobufCodec) appendData(dst, text []byte, record string) ([]byte, error) {
	descriptor, index, err := c.named(record)
	if err != nil {
		return dst, err
	}
	m := dynamicpb.NewMessage(descriptor)
	if err := (protojson.UnmarshalOptions{Resolver: c.types}).Unmarshal(text, m); err != nil {
		return dst, errors.New(oneLine(err.Error()))
	}
	if len(index) == 1 && index[0] == 0 {
		dst = append(dst, 0) // short for the first message
	} else {
		dst = binary.AppendVarint(dst, int64(len(index)))
		for _, i := range index {
			dst = binary.AppendVarint(dst, int64(i))
		}
	}
	return proto.MarshalOptions{}.MarshalAppend(dst, m)
}

// named returns a message by its full name, the first one for "", and its place.
func (c *protobufCodec) named(name string) (protoreflect.MessageDescriptor, []int, error) {
	if name == "" {
		return c.file.Messages().Get(0), []int{0}, nil
	}
	if found, index := find(c.file.Messages(), protoreflect.FullName(name)); found != nil {
		return found, index, nil
	}
	return nil, nil, fmt.Errorf("the schema has no message %s, which output.schema.record names", name)
}

// find returns a message among some and those that are in them.
func find(messages protoreflect.MessageDescriptors, name protoreflect.FullName) (protoreflect.MessageDescriptor, []int) {
	for i := range messages.Len() {
		m := messages.Get(i)
		if m.FullName() == name {
			return m, []int{i}
		}
		if found, index := find(m.Messages(), name); found != nil {
			return found, append([]int{i}, index...)
		}
	}
	return nil, nil
}
