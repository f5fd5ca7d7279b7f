package cases

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/millrace-dev/millrace/worker"
)

// matches reports whether an output has all the parts that c names. topic is the output
// topic.
func (c *Content) matches(out *worker.Output, topic string) bool {
	if out.Topic != "" {
		topic = out.Topic
	}
	if c.Topic != "" && c.Topic != topic || !same(c.Key, out.Key) || !same(c.Value, out.Value) {
		return false
	}
	if at, err := c.time(); err != nil || c.Timestamp != "" && !at.Equal(out.Timestamp) {
		return false
	}
	for name, want := range c.Headers {
		var values [][]byte
		for _, h := range out.Headers {
			if h.Key == name {
				values = append(values, h.Value)
			}
		}
		if !slices.EqualFunc(listOf(want), values, same) {
			return false
		}
	}
	return true
}

// same reports whether a key, a value or a header is the expected one. Text is compared as
// it is, JSON by its content. Everything is the same as a part that is not written.
func same(want json.RawMessage, got []byte) bool {
	switch {
	case len(want) == 0:
		return true
	case string(want) == "null":
		return got == nil
	case isText(want):
		return got != nil && bytes.Equal(bytesOf(want), got)
	default:
		a, okA := parsed(want)
		b, okB := parsed(got)
		return okA && okB && equal(a, b)
	}
}

func parsed(text []byte) (value any, ok bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	return value, !decoder.More()
}

// equal compares parsed JSON.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(string(a), string(b))
	default:
		return a == b
	}
}
