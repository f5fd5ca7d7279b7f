package cel

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// encode turns a result into what is written: bytes and strings as they are,
// null into nil, anything else into JSON. Empty is not nil.
func encode(v ref.Val) ([]byte, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bytes:
		return notNil([]byte(v)), nil
	case types.String:
		return notNil([]byte(v)), nil
	case *types.Optional:
		if !v.HasValue() {
			return nil, nil
		}
		return encode(v.GetValue())
	default:
		return appendJSON(nil, v)
	}
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// appendJSON writes a value as JSON, maps in the order of their keys. Bytes are
// base64, timestamps RFC 3339, durations seconds with an "s", as in protocol
// buffers' JSON.
func appendJSON(b []byte, v ref.Val) ([]byte, error) {
	switch v := v.(type) {
	case types.Null:
		return append(b, "null"...), nil
	case types.Bool:
		return strconv.AppendBool(b, bool(v)), nil
	case types.Int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case types.Uint:
		return strconv.AppendUint(b, uint64(v), 10), nil
	case types.Double:
		return appendDouble(b, float64(v))
	case types.String:
		return appendText(b, string(v))
	case types.Bytes:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v), '"'), nil
	case types.Timestamp, types.Duration:
		return appendText(b, string(v.(ref.Val).ConvertToType(types.StringType).(types.String)))
	case *types.Optional:
		if !v.HasValue() {
			return append(b, "null"...), nil
		}
		return appendJSON(b, v.GetValue())
	case traits.Mapper:
		return appendObject(b, v)
	case traits.Lister:
		return appendList(b, v)
	case *types.Err:
		return nil, v
	default:
		return nil, fmt.Errorf("a %s can't be written as JSON", v.Type())
	}
}

func appendDouble(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%v can't be written as JSON", f)
	}
	text, err := json.Marshal(f)
	return append(b, text...), err
}

// appendText writes a string without escaping what only HTML needs escaped.
func appendText(b []byte, s string) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...), nil
}

func appendList(b []byte, list traits.Lister) ([]byte, error) {
	b = append(b, '[')
	var err error
	for it, first := list.Iterator(), true; it.HasNext() == types.True; first = false {
		if !first {
			b = append(b, ',')
		}
		if b, err = appendJSON(b, it.Next()); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

var errNoName = errors.New("a map with such a key can't be written as JSON")

func appendObject(b []byte, object traits.Mapper) ([]byte, error) {
	names := make(map[string]ref.Val)
	var sorted []string
	for it := object.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		name, ok := key.ConvertToType(types.StringType).(types.String)
		if !ok {
			return nil, fmt.Errorf("%v: %w", key, errNoName)
		}
		names[string(name)] = object.Get(key)
		sorted = append(sorted, string(name))
	}
	slices.Sort(sorted)
	b = append(b, '{')
	var err error
	for i, name := range sorted {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendText(b, name); err != nil {
			return nil, err
		}
		if b, err = appendJSON(append(b, ':'), names[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
