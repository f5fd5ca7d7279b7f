package lines

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/internal/envelope"
	"github.com/millrace-dev/millrace/worker"
)

// recordLine is a record as one line of JSON. Key and value are text or null; bytes that are
// no UTF-8 are in base64. A value that is a JSON object or a list stands as such.
type recordLine struct {
	Topic       string           `json:"topic"`
	Partition   int32            `json:"partition"`
	Offset      int64            `json:"offset"`
	Timestamp   json.RawMessage  `json:"timestamp"`
	Headers     envelope.Headers `json:"headers,omitempty"`
	Key         json.RawMessage  `json:"key,omitempty"`
	KeyBase64   []byte           `json:"keyBase64,omitempty"`
	Value       json.RawMessage  `json:"value,omitempty"`
	ValueBase64 []byte           `json:"valueBase64,omitempty"`
}

// writeRecord writes a record as a line.
func writeRecord(w io.Writer, rec *worker.Record) error {
	line := recordLine{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Timestamp: json.RawMessage("null")}
	if !rec.Timestamp.IsZero() {
		line.Timestamp, _ = envelope.Text([]byte(rec.Timestamp.UTC().Format(time.RFC3339Nano)))
	}
	line.Key, line.KeyBase64 = envelope.Text(rec.Key)
	if isDocument(rec.Value) {
		line.Value = rec.Value
	} else {
		line.Value, line.ValueBase64 = envelope.Text(rec.Value)
	}
	for i := range rec.Headers {
		line.Headers = append(line.Headers, envelope.NewHeader(rec.Headers[i].Key, rec.Headers[i].Value))
	}
	return envelope.Encode(w, &line)
}

// isDocument reports whether bytes are a JSON object or list.
func isDocument(b []byte) bool {
	trimmed := bytes.TrimLeft(b, " \t\r\n")
	return len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && utf8.Valid(b) && json.Valid(b)
}
