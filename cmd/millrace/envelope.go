package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// envelope is a record as one line of JSON. Bytes that are no UTF-8 are in base64.
type envelope struct {
	// Topic and Offset say where a record was read; a record that is fed leaves them
	// out or has them ignored.
	Topic     string          `json:"topic,omitempty"`
	Partition *int32          `json:"partition,omitempty"`
	Offset    *int64          `json:"offset,omitempty"`
	Timestamp json.RawMessage `json:"timestamp,omitempty"`
	Headers   envelopeHeaders `json:"headers,omitempty"`
	// Key and Value are text or null. A value that is fed may be any JSON, which
	// becomes the record's value as it is written.
	Key         json.RawMessage `json:"key,omitempty"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// envelopeHeader is a header of a record.
type envelopeHeader struct {
	Key         string          `json:"key"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// envelopeHeaders is a list of headers. It may be written as an object, whose members are
// then taken in the order of their names.
type envelopeHeaders []envelopeHeader

// UnmarshalJSON implements json.Unmarshaler.
func (h *envelopeHeaders) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte("{")) {
		type list envelopeHeaders
		return strictly(text, (*list)(h))
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		*h = append(*h, envelopeHeader{Key: key, Value: values[key]})
	}
	return nil
}

// writeEnvelope writes a record as a line in the format "json".
func writeEnvelope(out io.Writer, r *kgo.Record) error {
	e := envelope{Topic: r.Topic, Partition: &r.Partition, Offset: &r.Offset}
	e.Timestamp, _ = textOf([]byte(r.Timestamp.UTC().Format(time.RFC3339Nano)))
	e.Key, e.KeyBase64 = textOf(r.Key)
	e.Value, e.ValueBase64 = textOf(r.Value)
	e.Headers = envelopeHeadersOf(r)
	return encodeJSON(out, &e)
}

// envelopeHeadersOf returns the headers of a record, nil if it has none.
func envelopeHeadersOf(r *kgo.Record) (headers envelopeHeaders) {
	for _, header := range r.Headers {
		value, base64 := textOf(header.Value)
		headers = append(headers, envelopeHeader{header.Key, value, base64})
	}
	return headers
}

// records returns the headers as those of a record.
func (h envelopeHeaders) records() (headers []kgo.RecordHeader, err error) {
	for _, header := range h {
		value, err := bytesOf("headers: "+header.Key, header.Value, header.ValueBase64)
		if err != nil {
			return nil, err
		}
		headers = append(headers, kgo.RecordHeader{Key: header.Key, Value: value})
	}
	return headers, nil
}

// encodeJSON writes a value as a line of JSON.
func encodeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// textOf returns bytes as a JSON string or null, or for base64 if they are no UTF-8.
func textOf(content []byte) (text json.RawMessage, base64 []byte) {
	if content == nil {
		return json.RawMessage("null"), nil
	}
	if !utf8.Valid(content) {
		return nil, content
	}
	var out bytes.Buffer
	_ = encodeJSON(&out, string(content)) // strings have no errors
	return bytes.TrimSpace(out.Bytes()), nil
}

// parseEnvelope makes a record of a line in the format "json".
func parseEnvelope(line []byte) (*kgo.Record, error) {
	var e envelope
	if err := strictly(line, &e); err != nil {
		return nil, err
	}
	r := &kgo.Record{Partition: anyPartition}
	if e.Partition != nil {
		if r.Partition = *e.Partition; r.Partition < 0 {
			return nil, errors.New("partition: it must not be negative")
		}
	}
	var err error
	if r.Timestamp, err = parseTimestamp(e.Timestamp); err != nil {
		return nil, err
	}
	if r.Key, err = bytesOf("key", e.Key, e.KeyBase64); err != nil {
		return nil, err
	}
	if r.Value, err = bytesOf("value", e.Value, e.ValueBase64); err != nil {
		return nil, err
	}
	if r.Headers, err = e.Headers.records(); err != nil {
		return nil, err
	}
	return r, nil
}

// parseTimestamp takes a time in RFC 3339, or milliseconds as Kafka counts them. A record
// without a time gets the present one.
func parseTimestamp(text json.RawMessage) (time.Time, error) {
	if isNull(text) {
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
	return time.Time{}, fmt.Errorf(`timestamp: %s is neither a time like "2006-01-02T15:04:05Z" nor a number of milliseconds since 1970`, text)
}

func isNull(text json.RawMessage) bool { return text == nil || string(text) == "null" }

// bytesOf returns the bytes of a field: those of a string, of base64, or the JSON itself.
func bytesOf(field string, text json.RawMessage, base64 []byte) ([]byte, error) {
	switch {
	case base64 != nil && !isNull(text):
		return nil, fmt.Errorf("%s: it stands there twice, as text and in base64", field)
	case base64 != nil:
		return base64, nil
	case isNull(text):
		return nil, nil
	case text[0] != '"':
		return text, nil
	case !utf8.Valid(text):
		// Package json would replace bytes.
		return nil, fmt.Errorf("%s: it is not in UTF-8: write it in base64", field)
	}
	var content string
	err := json.Unmarshal(text, &content)
	return []byte(content), err
}

// strictly decodes one JSON value with known fields only.
func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return plainly(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON object")
	}
	return nil
}

// plainly returns an error of encoding/json in the user's words.
func plainly(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return fmt.Errorf("it is a JSON %s: it must be an object", wrong.Value)
		}
		return fmt.Errorf("%s: it must not be a JSON %s", wrong.Field, wrong.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON: %w, at byte %d", err, syntax.Offset)
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf("unknown field %s: the fields are partition, timestamp, key, keyBase64, value, valueBase64 and headers", field)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is not JSON: it ends too early")
	}
	return err
}
