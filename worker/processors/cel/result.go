package cel

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
)

// native turns a result into a value for encoding/json. Values without a counterpart in
// JSON get the form of protobuf's JSON.
func (n *notes) native(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool, types.Int, types.Uint:
		return v.Value(), nil
	case types.String:
		return string(v), onlyUTF8(string(v))
	case types.Double:
		return n.nativeDouble(v)
	case types.Bytes:
		return append([]byte{}, v...), nil // nil would become null
	case *binary:
		return nil, errors.New("a part of the record is not UTF-8: write it as base64.encode(...)")
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339Nano), nil
	case types.Duration:
		text, err := protojson.Marshal(durationpb.New(v.Duration))
		return json.RawMessage(text), err
	case *types.Optional:
		return n.native(valueOrNull(v))
	case *object:
		return n.nativeObject(v)
	case traits.Mapper:
		return n.nativeMap(v)
	case traits.Lister:
		return n.nativeList(v)
	case *types.Err:
		return nil, v
	default:
		return nil, fmt.Errorf("a value of type %s has no JSON form", v.Type().TypeName())
	}
}

func (n *notes) nativeDouble(v types.Double) (any, error) {
	if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, notANumber(v)
	}
	text, err := n.double(v)
	if text != "" {
		return json.Number(text), nil
	}
	return float64(v), err
}

// onlyUTF8 refuses text that package encoding/json would change, for example the name
// of a header.
func onlyUTF8(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("the text %q is not UTF-8", s)
	}
	return nil
}

// valueOrNull returns the value of an optional, or null if it has none.
func valueOrNull(o *types.Optional) ref.Val {
	if o.HasValue() {
		return o.GetValue()
	}
	return types.NullValue
}

func (n *notes) nativeList(list traits.Lister) (any, error) {
	if parsed, ok := list.Value().([]any); ok {
		return parsed, n.whole()
	}
	elements := []any{} // nil would become null
	for it := list.Iterator(); it.HasNext() == types.True; {
		element, err := n.native(it.Next())
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return elements, nil
}

func (n *notes) nativeMap(m traits.Mapper) (any, error) {
	if parsed, ok := m.Value().(map[string]any); ok {
		return parsed, n.whole()
	}
	members := make(map[string]any)
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, err := memberName(key)
		if err != nil {
			return nil, err
		}
		if _, ok := members[name]; ok {
			return nil, fmt.Errorf("the map has two keys that are %q in JSON", name)
		}
		if members[name], err = n.native(m.Get(key)); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// nativeObject returns the members of an object. Those of parsed JSON stay as they are.
func (n *notes) nativeObject(o *object) (any, error) {
	if err := n.whole(); err != nil {
		return nil, err
	}
	members := make(map[string]any, len(o.members))
	for name, member := range o.members {
		if v, ok := member.(ref.Val); ok {
			var err error
			if member, err = n.native(v); err != nil {
				return nil, err
			}
		}
		members[name] = member
	}
	return members, nil
}

func memberName(key ref.Val) (string, error) {
	switch key := key.(type) {
	case types.String:
		return string(key), onlyUTF8(string(key))
	case types.Int:
		return strconv.FormatInt(int64(key), 10), nil
	case types.Uint:
		return strconv.FormatUint(uint64(key), 10), nil
	case types.Bool:
		return strconv.FormatBool(bool(key)), nil
	default:
		return "", fmt.Errorf("a map has a key of type %s, which can't be a name in JSON", key.Type().TypeName())
	}
}
