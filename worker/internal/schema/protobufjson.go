package schema

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// value returns a message as JSON has it: Protobuf's own form of JSON, but for integers of 64
// bits, which are numbers and not text. Fields without presence are there with their zero.
// See protobuf.dev/programming-guides/json.
func (c *protobufCodec) value(m protoreflect.Message) (any, error) {
	if strings.HasPrefix(string(m.Descriptor().FullName()), "google.protobuf.") {
		// Timestamps, wrappers and the like have special forms.
		text, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(m.Interface())
		return json.RawMessage(text), err
	}
	fields := m.Descriptor().Fields()
	object := make(map[string]any, fields.Len())
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.HasPresence() && !m.Has(field) {
			continue
		}
		v, err := c.field(field, m.Get(field))
		if err != nil {
			return nil, err
		}
		object[field.JSONName()] = v
	}
	return object, nil
}

func (c *protobufCodec) field(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	switch {
	case f.IsMap():
		object := make(map[string]any, v.Map().Len())
		var failed error
		v.Map().Range(func(key protoreflect.MapKey, element protoreflect.Value) bool {
			object[key.String()], failed = c.single(f.MapValue(), element)
			return failed == nil
		})
		return object, failed
	case f.IsList():
		list := make([]any, v.List().Len())
		for i := range list {
			var err error
			if list[i], err = c.single(f, v.List().Get(i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	default:
		return c.single(f, v)
	}
}

// single returns a value that is neither a list nor a map.
func (c *protobufCodec) single(f protoreflect.FieldDescriptor, v protoreflect.Value) (any, error) {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return c.value(v.Message())
	case protoreflect.EnumKind:
		switch symbol := f.Enum().Values().ByNumber(v.Enum()); {
		case f.Enum().FullName() == "google.protobuf.NullValue":
			return nil, nil
		case symbol == nil:
			return json.Number(strconv.Itoa(int(v.Enum()))), nil // of a newer schema
		default:
			return string(symbol.Name()), nil
		}
	case protoreflect.BytesKind:
		return base64.StdEncoding.EncodeToString(v.Bytes()), nil
	case protoreflect.FloatKind:
		return finite(v.Float(), float32(v.Float())), nil
	case protoreflect.DoubleKind:
		return finite(v.Float(), v.Float()), nil
	default:
		return v.Interface(), nil
	}
}
