package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker"
)

// Content is what people write of a record. A key, a value and a header is text, null, or
// an object, a list, a number or a boolean, which stand for their JSON.
type Content struct {
	Topic     string                     `json:"topic,omitempty"`
	Key       json.RawMessage            `json:"key,omitempty"`
	Value     json.RawMessage            `json:"value,omitempty"`
	Headers   map[string]json.RawMessage `json:"headers,omitempty"` // a list for a header that repeats
	Timestamp string                     `json:"timestamp,omitempty"`
}

// Record is a record of the input.
type Record struct {
	Content   `json:",inline"`
	Partition int32 `json:"partition,omitempty"`
	Offset    int64 `json:"offset,omitempty"`
}

// ParseRecord reads a record that is written as JSON.
func ParseRecord(text []byte) (worker.Record, error) {
	var r Record
	if !json.Valid(text) || !bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		return worker.Record{}, errors.New(`it is not a JSON object: write one such as {"key": "a", "value": {"n": 1}}`)
	}
	if err := checkRecord(text); err != nil {
		return worker.Record{}, err
	}
	if err := v1alpha1.UnmarshalStrict(text, &r); err != nil {
		return worker.Record{}, err
	}
	return r.Worker()
}

// checkRecord returns an error for a JSON object with a field that a record does not have.
// Most often the object is meant to be the value of a record.
func checkRecord(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(recordFields, name) {
			return fmt.Errorf("unknown field %q: the fields of a record are %s; if this is the value of one, write {\"value\": ...} around it",
				name, strings.Join(recordFields, ", "))
		}
	}
	return nil
}

// Worker returns the record as a worker gets it.
func (r *Record) Worker() (worker.Record, error) {
	rec := worker.Record{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Key: bytesOf(r.Key), Value: bytesOf(r.Value)}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		for _, value := range listOf(r.Headers[name]) {
			rec.Headers = append(rec.Headers, worker.Header{Key: name, Value: bytesOf(value)})
		}
	}
	var err error
	rec.Timestamp, err = r.time()
	return rec, err
}

// time returns the zero time for a record without a timestamp.
func (c *Content) time() (time.Time, error) {
	if c.Timestamp == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, c.Timestamp)
	if err != nil {
		return time.Time{}, fmt.Errorf("timestamp: %q is not a time: write one such as 2026-01-02T15:04:05.123Z", c.Timestamp)
	}
	return t, nil
}

// bytesOf returns the bytes that a part of a record stands for, and nil for null and for a
// part that is not written.
func bytesOf(raw json.RawMessage) []byte {
	var text string
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil
	case json.Unmarshal(raw, &text) == nil:
		return []byte(text)
	default:
		return compact(raw)
	}
}

func compact(raw []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return raw
	}
	return out.Bytes()
}

// listOf returns the values of a header.
func listOf(raw json.RawMessage) []json.RawMessage {
	var values []json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		return []json.RawMessage{raw}
	}
	return values
}

// Describe returns a record of the output as JSON in one line. topic is the output topic.
// Of the value, an object or a list is shown as such, and everything else as text.
func Describe(out worker.Output, topic string) string {
	return string(describe(&out, topic, nil))
}

// describe leaves out the parts that like leaves out, and shows the others in its form.
func describe(out *worker.Output, topic string, like *Content) []byte {
	var shown object
	if out.Topic != "" {
		topic = out.Topic
	}
	if like == nil || like.Topic != "" {
		shown.add("topic", topic)
	}
	if like == nil || len(like.Key) > 0 {
		shown.add("key", part(out.Key, like != nil && isText(like.Key)))
	}
	if like == nil || len(like.Value) > 0 {
		shown.add("value", part(out.Value, like != nil && isText(like.Value)))
	}
	if headers := headersOf(out, like); len(headers) > 0 || like != nil && len(like.Headers) > 0 {
		shown.add("headers", headers)
	}
	if like != nil && like.Timestamp != "" {
		shown.add("timestamp", out.Timestamp.UTC().Format(time.RFC3339Nano))
	}
	return shown.end()
}

// headersOf returns the values of the headers, of those that like names if it is given.
func headersOf(out *worker.Output, like *Content) map[string]any {
	values := map[string][]any{}
	for _, h := range out.Headers {
		if like != nil && like.Headers[h.Key] == nil {
			continue
		}
		values[h.Key] = append(values[h.Key], part(h.Value, true))
	}
	headers := map[string]any{}
	for name, list := range values {
		headers[name] = list
		if len(list) == 1 {
			headers[name] = list[0]
		}
	}
	return headers
}

func isText(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '"' }

// part returns a key, a value or a header for encoding/json.
func part(b []byte, asText bool) any {
	trimmed := bytes.TrimSpace(b)
	switch {
	case b == nil:
		return nil
	case !asText && len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && json.Valid(b):
		return json.RawMessage(compact(b))
	default:
		return string(b)
	}
}

// object builds a JSON object whose members keep their order.
type object struct{ text bytes.Buffer }

func (o *object) add(name string, value any) {
	before := ", "
	if o.text.Len() == 0 {
		before = "{"
	}
	fmt.Fprintf(&o.text, "%s%q: %s", before, name, encoded(value))
}

func (o *object) end() []byte {
	if o.text.Len() == 0 {
		return []byte("{}")
	}
	return append(o.text.Bytes(), '}')
}

func encoded(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Appendf(nil, "%q", fmt.Sprint(value))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
