package cel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// decode parses a record's value as one JSON value. Whole numbers that fit are
// ints, others doubles. A null value is null.
func decode(value []byte) (ref.Val, error) {
	if value == nil {
		return types.NullValue, nil
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var parsed any
	if err := d.Decode(&parsed); err != nil {
		return nil, notJSON(value, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the value is not JSON: more text follows the value that ends at byte %d: %s",
			d.InputOffset(), quote(value))
	}
	return convert(parsed)
}

func notJSON(value []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("the value is not JSON: %w at byte %d: %s", err, syntax.Offset, quote(value))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the value is not JSON: it ends early, at byte %d: %s", len(value), quote(value))
	default:
		return fmt.Errorf("the value is not JSON: %w: %s", err, quote(value))
	}
}

// quote shows the beginning of a value.
func quote(value []byte) string {
	const most = 60
	if len(value) <= most {
		return strconv.Quote(string(value))
	}
	return strconv.Quote(string(value[:most])) + "..."
}

func convert(v any) (ref.Val, error) {
	switch v := v.(type) {
	case nil:
		return types.NullValue, nil
	case bool:
		return types.Bool(v), nil
	case string:
		return types.String(v), nil
	case json.Number:
		return number(v)
	case []any:
		list := make([]ref.Val, len(v))
		for i := range v {
			var err error
			if list[i], err = convert(v[i]); err != nil {
				return nil, err
			}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, list), nil
	case map[string]any:
		object := make(map[ref.Val]ref.Val, len(v))
		for name, member := range v {
			val, err := convert(member)
			if err != nil {
				return nil, err
			}
			object[types.String(name)] = val
		}
		return types.NewRefValMap(types.DefaultTypeAdapter, object), nil
	default:
		return nil, fmt.Errorf("JSON of an unknown type %T", v)
	}
}

func number(n json.Number) (ref.Val, error) {
	if !strings.ContainsAny(string(n), ".eE") {
		if i, err := n.Int64(); err == nil {
			return types.Int(i), nil
		}
	}
	f, err := n.Float64()
	if err != nil {
		return nil, fmt.Errorf("the JSON number %s is out of range", n)
	}
	return types.Double(f), nil
}
