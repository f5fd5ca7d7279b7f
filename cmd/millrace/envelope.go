package main

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/internal/envelope"
)

// recordLine is a record as one line of JSON. Bytes that are no UTF-8 are in base64.
type recordLine struct {
	// Topic and Offset say where a record was read; a record that is fed leaves them
	// out or has them ignored.
	Topic     string           `json:"topic,omitempty"`
	Partition *int32           `json:"partition,omitempty"`
	Offset    *int64           `json:"offset,omitempty"`
	Timestamp json.RawMessage  `json:"timestamp,omitempty"`
	Headers   envelope.Headers `json:"headers,omitempty"`
	// Key and Value are text or null. A value that is fed may be any JSON, which
	// becomes the record's value as it is written.
	Key         json.RawMessage `json:"key,omitempty"`
	KeyBase64   []byte          `json:"keyBase64,omitempty"`
	Value       json.RawMessage `json:"value,omitempty"`
	ValueBase64 []byte          `json:"valueBase64,omitempty"`
}

// recordGrammar has the words of errors in such lines.
var recordGrammar = envelope.Grammar{
	Shape:  "it must be an object",
	Fields: "partition, timestamp, key, keyBase64, value, valueBase64 and headers; if each line is the value of a record, use --input-format lines",
}

// writeEnvelope writes a record as a line in the format "json".
func writeEnvelope(out io.Writer, r *kgo.Record) error {
	e := recordLine{Topic: r.Topic, Partition: &r.Partition, Offset: &r.Offset}
	e.Timestamp, _ = envelope.Text([]byte(r.Timestamp.UTC().Format(time.RFC3339Nano)))
	e.Key, e.KeyBase64 = envelope.Text(r.Key)
	e.Value, e.ValueBase64 = envelope.Text(r.Value)
	e.Headers = headersOf(r)
	return envelope.Encode(out, &e)
}

// headersOf returns the headers of a record, nil if it has none.
func headersOf(r *kgo.Record) (headers envelope.Headers) {
	for _, header := range r.Headers {
		headers = append(headers, envelope.NewHeader(header.Key, header.Value))
	}
	return headers
}

// recordHeaders returns headers as those of a record.
func recordHeaders(written envelope.Headers) (headers []kgo.RecordHeader, err error) {
	for i := range written {
		name, value, err := written[i].Bytes()
		if err != nil {
			return nil, err
		}
		headers = append(headers, kgo.RecordHeader{Key: name, Value: value})
	}
	return headers, nil
}

// parseEnvelope makes a record of a line in the format "json".
func parseEnvelope(line []byte) (*kgo.Record, error) {
	var e recordLine
	if err := recordGrammar.Decode(line, &e); err != nil {
		return nil, err
	}
	r := &kgo.Record{Partition: anyPartition}
	if e.Partition != nil {
		if r.Partition = *e.Partition; r.Partition < 0 {
			return nil, errors.New("partition: it must not be negative")
		}
	}
	var err error
	if r.Timestamp, err = envelope.Time(e.Timestamp); err != nil {
		return nil, err
	}
	if r.Key, err = envelope.Bytes("key", e.Key, e.KeyBase64); err != nil {
		return nil, err
	}
	if r.Value, err = envelope.Bytes("value", e.Value, e.ValueBase64); err != nil {
		return nil, err
	}
	if r.Headers, err = recordHeaders(e.Headers); err != nil {
		return nil, err
	}
	return r, nil
}
