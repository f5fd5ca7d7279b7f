// Package envelope has the parts of a Kafka record in a line of JSON: text and null as JSON
// has them, bytes that are no UTF-8 in base64, and any other JSON as it is written. The
// command line reads and writes such lines, and so does a program behind the adapter for
// lines.
package envelope

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// Header is a header of a record. A name that is no UTF-8 is in KeyBase64.
type Header struct {
	Key         string          `json:"key"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// NewHeader returns a header with these bytes.
func NewHeader(name string, value []byte) Header {
	h := Header{Key: name}
	if !utf8.ValidString(name) {
		h.Key, h.KeyBase64 = "", []byte(name)
	}
	h.Value, h.ValueBase64 = Text(value)
	return h
}

// Bytes returns the header's name and value.
func (h *Header) Bytes() (name string, value []byte, err error) {
	name = h.Key
	if h.KeyBase64 != nil {
		name = string(h.KeyBase64)
	}
	value, err = Bytes("headers: "+h.Key, h.Value, h.ValueBase64)
	return name, value, err
}

// Headers is a list of headers. It may be written as an object, whose members are then taken
// in the order of their names.
type Headers []Header

// UnmarshalJSON implements json.Unmarshaler.
func (h *Headers) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("{")) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		return d.Decode((*[]Header)(h))
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		*h = append(*h, Header{Key: name, Value: values[name]})
	}
	return nil
}

// Encode writes a value as a line of JSON.
func Encode(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// Text returns bytes as a JSON string or null, or for base64 if they are no UTF-8.
func Text(content []byte) (text json.RawMessage, base64 []byte) {
	if content == nil {
		return json.RawMessage("null"), nil
	}
	if !utf8.Valid(content) {
		return nil, content
	}
	var out bytes.Buffer
	_ = Encode(&out, string(content)) // strings have no errors
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Bytes returns the bytes of a part: those of a text, of base64, or the JSON itself. An error
// begins with the field.
func Bytes(field string, text json.RawMessage, base64 []byte) ([]byte, error) {
	switch {
	case base64 != nil && !IsNull(text):
		return nil, fmt.Errorf("%s: it stands there twice, as text and in base64", field)
	case base64 != nil:
		return base64, nil
	case IsNull(text):
		return nil, nil
	case !utf8.Valid(text):
		// Package json would replace bytes.
		return nil, fmt.Errorf("%s: it is not in UTF-8: write it in base64", field)
	case text[0] != '"':
		return text, nil
	}
	var content string
	err := json.Unmarshal(text, &content)
	return []byte(content), err
}

// Time takes a time in RFC 3339, or milliseconds as Kafka counts them. Null is the zero time.
func Time(text json.RawMessage) (time.Time, error) {
	if IsNull(text) {
		return time.Time{}, nil
	}
	var written string
	if json.Unmarshal(text, &written) == nil {
		if t, err := time.Parse(time.RFC3339Nano, written); err == nil {
			return t, nil
		}
	}
	var milliseconds int64
	if json.Unmarshal(text, &milliseconds) == nil {
		return time.UnixMilli(milliseconds), nil
	}
	return time.Time{}, fmt.Errorf(`timestamp: %s is neither a time like "2006-01-02T15:04:05Z" nor a number of milliseconds since 1970`, shortened(text))
}

// shortened returns the beginning of a text, for a message.
func shortened(text json.RawMessage) string {
	const most = 64
	if len(text) <= most {
		return string(text)
	}
	return string(text[:most]) + "..."
}

// IsNull reports whether a part is absent or null.
func IsNull(text json.RawMessage) bool { return text == nil || string(text) == "null" }

// Grammar has the words of the errors of one kind of line.
type Grammar struct {
	Shape  string // what the line must be, such as "it must be an object"
	Fields string // the fields that there are, such as "key and value"
}

// Decode decodes one JSON value, which has only fields that into has.
func (g Grammar) Decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return g.Explain(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON")
	}
	return nil
}
