package lines

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
		if !isNull(r.Error) {
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
		if err := strictly(trimmed, &list); err != nil {
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
		if err := strictly(trimmed, &r); err != nil || r == nil {
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
	if o.Key, err = bytesOf("key", r.Key, r.KeyBase64); err != nil {
		return o, err
	}
	if o.Value, err = bytesOf("value", r.Value, r.ValueBase64); err != nil {
		return o, err
	}
	if o.Headers, err = headersOf(r.Headers); err != nil {
		return o, err
	}
	o.Timestamp, err = timeOf(r.Timestamp)
	return o, err
}

// headersOf returns the headers in a list, or in an object, whose members are taken in the
// order of their names.
func headersOf(raw json.RawMessage) (headers []worker.Header, err error) {
	if isNull(raw) {
		return nil, nil
	}
	var list []headerLine
	if raw[0] == '{' {
		var values map[string]json.RawMessage
		if err := json.Unmarshal(raw, &values); err != nil {
			return nil, plainly(err)
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			list = append(list, headerLine{Key: name, Value: values[name]})
		}
	} else if err := strictly(raw, &list); err != nil {
		return nil, fmt.Errorf("headers: %w", err)
	}
	for i := range list {
		h := worker.Header{Key: list[i].Key}
		if list[i].KeyBase64 != nil {
			h.Key = string(list[i].KeyBase64)
		}
		if h.Value, err = bytesOf("headers: "+list[i].Key, list[i].Value, list[i].ValueBase64); err != nil {
			return nil, err
		}
		headers = append(headers, h)
	}
	return headers, nil
}

// bytesOf returns the bytes of a part: those of a text, of base64, or the JSON itself.
func bytesOf(field string, raw json.RawMessage, base64 []byte) ([]byte, error) {
	switch {
	case base64 != nil && !isNull(raw):
		return nil, fmt.Errorf("%s: it stands there twice, as text and in base64", field)
	case base64 != nil:
		return base64, nil
	case isNull(raw):
		return nil, nil
	case !utf8.Valid(raw):
		return nil, fmt.Errorf("%s: it is not in UTF-8: write it in base64", field) // package json would replace bytes
	case raw[0] != '"':
		return raw, nil
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return []byte(text), err
}

// timeOf takes a time in RFC 3339, or milliseconds as Kafka counts them. Null is the record's
// time.
func timeOf(raw json.RawMessage) (time.Time, error) {
	if isNull(raw) {
		return time.Time{}, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t, nil
		}
	}
	var milliseconds int64
	if json.Unmarshal(raw, &milliseconds) == nil {
		return time.UnixMilli(milliseconds), nil
	}
	return time.Time{}, errors.New(`timestamp: it is neither a time like "2006-01-02T15:04:05Z" nor a number of milliseconds since 1970`)
}

func isNull(raw json.RawMessage) bool { return raw == nil || string(raw) == "null" }

// strictly decodes one JSON value with known fields only.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return plainly(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON")
	}
	return nil
}

// plainly returns an error of encoding/json in the user's words.
func plainly(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field == "" {
		return fmt.Errorf(`it is a JSON %s: write an object, such as {"value": ...}, a list of them, or null`, wrong.Value)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s: it must not be a JSON %s", wrong.Field, wrong.Value)
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf(`unknown field %s: the fields are value, valueBase64, key, keyBase64, headers, timestamp, outputTopic and error`, field)
	}
	return fmt.Errorf("it is not JSON: %w", err)
}
