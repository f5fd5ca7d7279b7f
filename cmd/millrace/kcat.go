package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/internal/envelope"
)

// kcatEnvelope is a record as kcat -J writes it.
type kcatEnvelope struct {
	Partition     *int32          `json:"partition"`
	TimestampType string          `json:"tstype"` // create, logappend or unknown
	Timestamp     int64           `json:"ts"`     // in milliseconds
	Headers       kcatHeaders     `json:"headers"`
	Key           json.RawMessage `json:"key"`
	Payload       json.RawMessage `json:"payload"`
	// kcat writes null for what it could not decode.
	KeyError     string `json:"key_error"`
	PayloadError string `json:"payload_error"`
}

// kcatHeaders are names and values in turn, or an object of lists of values.
type kcatHeaders []kgo.RecordHeader

// UnmarshalJSON implements json.Unmarshaler.
func (h *kcatHeaders) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("{")) {
		return h.fromObject(text)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return errors.New("headers: it must be a list of names and values")
	}
	if len(list)%2 != 0 {
		return errors.New("headers: a name has no value")
	}
	for i := 0; i < len(list); i += 2 {
		name, err := kcatBytes(list[i])
		if err != nil || name == nil || list[i][0] != '"' {
			return fmt.Errorf("headers: %s is no name: it must be text", list[i])
		}
		if err := h.add(string(name), list[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (h *kcatHeaders) fromObject(text []byte) error {
	var object map[string][]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return errors.New("headers: the values of a name must be a list")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		for _, value := range object[name] {
			if err := h.add(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *kcatHeaders) add(name string, text json.RawMessage) error {
	value, err := kcatBytes(text)
	if err != nil {
		return fmt.Errorf("headers: %s: %w", name, err)
	}
	*h = append(*h, kgo.RecordHeader{Key: name, Value: value})
	return nil
}

// parseKcat makes a record of a line in the format "kcat".
func parseKcat(line []byte) (*kgo.Record, error) {
	var e kcatEnvelope
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, recordGrammar.Explain(err)
	}
	switch {
	case e.KeyError != "":
		return nil, fmt.Errorf("key_error: kcat could not decode the key (%s), so it is not here: let kcat write it without -s", e.KeyError)
	case e.PayloadError != "":
		return nil, fmt.Errorf("payload_error: kcat could not decode the value (%s), so it is not here: let kcat write it without -s", e.PayloadError)
	}
	r := &kgo.Record{Partition: anyPartition, Headers: e.Headers, Timestamp: e.time()}
	if e.Partition != nil && *e.Partition >= 0 {
		r.Partition = *e.Partition
	}
	var err error
	if r.Key, err = kcatBytes(e.Key); err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if r.Value, err = kcatBytes(e.Payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return r, nil
}

// time returns the record's time, or the zero time if kcat did not know it: kcat writes 0
// or -1 then.
func (e *kcatEnvelope) time() time.Time {
	known := e.TimestampType == "create" || e.TimestampType == "logappend"
	if e.Timestamp > 0 || e.Timestamp == 0 && known {
		return time.UnixMilli(e.Timestamp)
	}
	return time.Time{}
}

// kcatBytes returns the bytes of a string, or the JSON that kcat made of another format.
// A string may hold bytes that are not in UTF-8: kcat writes them as they are, and package
// json would replace them.
func kcatBytes(text json.RawMessage) ([]byte, error) {
	switch {
	case envelope.IsNull(text):
		return nil, nil
	case text[0] != '"':
		return text, nil
	}
	content := []byte{}
	for rest := text[1 : len(text)-1]; len(rest) > 0; {
		valid := validPrefix(rest)
		var part string
		if err := json.Unmarshal(slices.Concat([]byte{'"'}, rest[:valid], []byte{'"'}), &part); err != nil {
			return nil, recordGrammar.Explain(err)
		}
		content, rest = append(content, part...), rest[valid:]
		if len(rest) > 0 {
			content, rest = append(content, rest[0]), rest[1:]
		}
	}
	return content, nil
}

// validPrefix returns how many bytes at the beginning of a text are in UTF-8.
func validPrefix(text []byte) int {
	if utf8.Valid(text) {
		return len(text)
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size < 2 {
			return at
		}
		at += size
	}
}

// writeKcat writes a record as a line in the format "kcat". Which broker had it is not
// known, and kcat writes -1 for that.
func writeKcat(out io.Writer, r *kgo.Record) error {
	line := appendKcat([]byte(`{"topic":`), []byte(r.Topic))
	line = strconv.AppendInt(append(line, `,"partition":`...), int64(r.Partition), 10)
	line = strconv.AppendInt(append(line, `,"offset":`...), r.Offset, 10)
	line = append(line, `,"tstype":"`+timestampType(r)+`","ts":`...)
	line = strconv.AppendInt(line, r.Timestamp.UnixMilli(), 10)
	line = append(line, `,"broker":-1`...)
	for i, header := range r.Headers {
		line = append(line, [...]string{`,"headers":[`, `,`}[min(i, 1)]...)
		line = appendKcat(line, []byte(header.Key))
		line = appendKcat(append(line, ','), header.Value)
	}
	if len(r.Headers) > 0 {
		line = append(line, ']')
	}
	line = appendKcat(append(line, `,"key":`...), r.Key)
	line = appendKcat(append(line, `,"payload":`...), r.Value)
	_, err := out.Write(append(line, "}\n"...))
	return err
}

func timestampType(r *kgo.Record) string {
	switch r.Attrs.TimestampType() {
	case 0:
		return "create"
	case 1:
		return "logappend"
	default:
		return "unknown"
	}
}

// appendKcat appends bytes as a JSON string, with those that are not in UTF-8 as they are.
func appendKcat(line, content []byte) []byte {
	if content == nil {
		return append(line, "null"...)
	}
	line = append(line, '"')
	for rest := content; len(rest) > 0; {
		valid := validPrefix(rest)
		text, _ := envelope.Text(rest[:valid])
		line, rest = append(line, text[1:len(text)-1]...), rest[valid:]
		if len(rest) > 0 {
			line, rest = append(line, rest[0]), rest[1:]
		}
	}
	return append(line, '"')
}
