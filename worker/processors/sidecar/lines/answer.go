package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/millrace-dev/millrace/internal/envelope"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// resultLine is one result. A part that is absent is the record's.
type resultLine struct {
	// Topic, Partition and Offset are the record's, for programs that change the object that
	// they got. An answer with another partition or offset belongs to another record.
	Topic     json.RawMessage `json:"topic"`
	Partition *int32          `json:"partition"`
	Offset    *int64          `json:"offset"`

	OutputTopic string          `json:"outputTopic"`
	Timestamp   json.RawMessage `json:"timestamp"`
	Headers     json.RawMessage `json:"headers"`
	Key         json.RawMessage `json:"key"`
	KeyBase64   []byte          `json:"keyBase64"`
	Value       json.RawMessage `json:"value"`
	ValueBase64 []byte          `json:"valueBase64"`
	// Error, if it is set, is why the attempt has failed.
	Error json.RawMessage `json:"error"`
}

// resultGrammar has the words of errors in such lines.
var resultGrammar = envelope.Grammar{
	Shape:  `write an object, such as {"value": ...}, a list of them, or null`,
	Fields: "value, valueBase64, key, keyBase64, headers, timestamp, outputTopic and error",
}

// take adds the result that a line holds to the answer. An error means that the line is no
// answer to the record.
func take(line []byte, rec *worker.Record, place int, answer *frame.Answer) error {
	results, err := parse(line)
	if err != nil {
		return err
	}
	outputs := make([]frame.ProcessOutput, 0, len(results))
	for i := range results {
		r := &results[i]
		if err := r.belongs(rec); err != nil {
			return err
		}
		if !envelope.IsNull(r.Error) {
			answer.Fail(place, &frame.Failure{Message: message(r.Error)})
			return nil
		}
		o, err := r.output()
		if err != nil {
			return err
		}
		outputs = append(outputs, o)
	}
	answer.Outputs(place, outputs)
	return nil
}

// parse returns the results in a line: none for null, and those of a list.
func parse(line []byte) ([]resultLine, error) {
	trimmed := bytes.TrimSpace(line)
	switch {
	case len(trimmed) == 0:
		return nil, errors.New("it is empty: write null for no result")
	case trimmed[0] == '[':
		var list []*resultLine
		if err := resultGrammar.Decode(trimmed, &list); err != nil {
			return nil, err
		}
		var results []resultLine
		for _, r := range list {
			if r != nil { // null is no result
				results = append(results, *r)
			}
		}
		return results, nil
	default:
		var r *resultLine
		if err := resultGrammar.Decode(trimmed, &r); err != nil || r == nil {
			return nil, err
		}
		return []resultLine{*r}, nil
	}
}

// belongs returns an error if the result names another record.
func (r *resultLine) belongs(rec *worker.Record) error {
	if r.Offset != nil && *r.Offset != rec.Offset || r.Partition != nil && *r.Partition != rec.Partition {
		return fmt.Errorf("it is for another record than that of partition %d and offset %d, whose turn it is: "+
			"the program must write one line for each line, in their order", rec.Partition, rec.Offset)
	}
	return nil
}

// message returns the text of an error, or its JSON if it is none.
func message(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

func (r *resultLine) output() (o frame.ProcessOutput, err error) {
	o.Topic = strings.ToValidUTF8(r.OutputTopic, "\uFFFD")
	o.SameKey = r.Key == nil && r.KeyBase64 == nil
	o.SameValue = r.Value == nil && r.ValueBase64 == nil
	o.SameHeaders = r.Headers == nil
	if o.Key, err = envelope.Bytes("key", r.Key, r.KeyBase64); err != nil {
		return o, err
	}
	if o.Value, err = envelope.Bytes("value", r.Value, r.ValueBase64); err != nil {
		return o, err
	}
	if o.Headers, err = headersOf(r.Headers); err != nil {
		return o, err
	}
	o.Timestamp, err = envelope.Time(r.Timestamp)
	return o, err
}

// headersOf returns the headers in a list, or in an object.
func headersOf(raw json.RawMessage) (headers []worker.Header, err error) {
	if envelope.IsNull(raw) {
		return nil, nil
	}
	var list envelope.Headers
	if err := resultGrammar.Decode(raw, &list); err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	for i := range list {
		name, value, err := list[i].Bytes()
		if err != nil {
			return nil, err
		}
		headers = append(headers, worker.Header{Key: name, Value: value})
	}
	return headers, nil
}
