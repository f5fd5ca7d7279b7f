package lines

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/worker"
)

// recordLine is a record as one line of JSON. Key and value are text or null; bytes that are
// no UTF-8 are in base64. A value that is a JSON object or a list stands as such.
type recordLine struct {
	Topic       string          `json:"topic"`
	Partition   int32           `json:"partition"`
	Offset      int64           `json:"offset"`
	Timestamp   json.RawMessage `json:"timestamp"`
	Headers     []headerLine    `json:"headers,omitempty"`
	Key         json.RawMessage `json:"key,omitempty"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// headerLine is a header of a record.
type headerLine struct {
	Key         string          `json:"key"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

var null = json.RawMessage("null")

// writeRecord writes a record as a line.
func writeRecord(w io.Writer, rec *worker.Record) error {
	line := recordLine{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Timestamp: null}
	if !rec.Timestamp.IsZero() {
		line.Timestamp, _ = textOf([]byte(rec.Timestamp.UTC().Format(time.RFC3339Nano)))
	}
	line.Key, line.KeyBase64 = textOf(rec.Key)
	if isDocument(rec.Value) {
		line.Value = rec.Value
	} else {
		line.Value, line.ValueBase64 = textOf(rec.Value)
	}
	for i := range rec.Headers {
		h := headerLine{Key: rec.Headers[i].Key}
		if !utf8.ValidString(h.Key) {
			h.Key, h.KeyBase64 = "", []byte(rec.Headers[i].Key)
		}
		h.Value, h.ValueBase64 = textOf(rec.Headers[i].Value)
		line.Headers = append(line.Headers, h)
	}
	return encode(w, &line)
}

// encode writes a value as a line of JSON.
func encode(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// isDocument reports whether bytes are a JSON object or list.
func isDocument(b []byte) bool {
	trimmed := bytes.TrimLeft(b, " \t\r\n")
	return len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && utf8.Valid(b) && json.Valid(b)
}

// textOf returns bytes as a JSON string or null, or for base64 if they are no UTF-8.
func textOf(b []byte) (text json.RawMessage, base64 []byte) {
	if b == nil {
		return null, nil
	}
	if !utf8.Valid(b) {
		return nil, b
	}
	var out bytes.Buffer
	_ = encode(&out, string(b)) // strings have no errors
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}
