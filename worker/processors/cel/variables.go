package cel

import (
	"context"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
)

// variables are what expressions see of one record. Each is made when an
// expression first asks for it. They are reused from record to record, by one
// goroutine at a time.
type variables struct {
	rec *worker.Record
	ctx context.Context // of the attempt
	// What the evaluation under way may cost, and what it has been charged for
	// if cel-go does not track its cost.
	limit, spent uint64
	headers      ref.Val // nil until asked for
	json         any     // nil until asked for; an error value if it is no JSON
	results      writer
}

// reset lets go of the record.
func (v *variables) reset() {
	v.rec, v.ctx, v.headers, v.json = nil, nil, nil, nil
	v.results.notes = notes{}
}

// ResolveName implements cel-go's Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "value":
		return bytesOrNull(v.rec.Value), true
	case "json":
		return v.parsed(), true
	case "key":
		return bytesOrNull(v.rec.Key), true
	case "headers":
		return v.headerMap(), true
	case "topic":
		return types.String(v.rec.Topic), true
	case "partition":
		return types.Int(v.rec.Partition), true
	case "offset":
		return types.Int(v.rec.Offset), true
	case "timestamp":
		return v.timestamp(), true
	case evaluationName:
		return v, true
	default:
		return nil, false
	}
}

// Parent implements cel-go's Activation.
func (v *variables) Parent() celgo.Activation { return nil }

func bytesOrNull(b []byte) ref.Val {
	if b == nil {
		return types.NullValue
	}
	return types.Bytes(b)
}

// timestamp is null for a record that has none.
func (v *variables) timestamp() ref.Val {
	if v.rec.Timestamp.IsZero() {
		return types.NullValue
	}
	return types.Timestamp{Time: v.rec.Timestamp.UTC()}
}

// parsed reads the value as JSON, once. That of a tombstone is null.
func (v *variables) parsed() any {
	if v.json != nil {
		return v.json
	}
	v.json = types.NullValue
	if v.rec.Value == nil {
		return v.json
	}
	parsed, n, err := parseJSON(v.rec.Value)
	v.results.notes = n
	switch {
	case err != nil:
		v.json = types.WrapErr(err)
	case parsed != nil:
		v.json = parsed
	}
	return v.json
}

// headerMap has the names in memory of their own, since a result may be one of
// them and the record's are borrowed.
func (v *variables) headerMap() ref.Val {
	if v.headers != nil {
		return v.headers
	}
	values := make(map[string][]ref.Val, len(v.rec.Headers))
	for _, h := range v.rec.Headers {
		values[h.Key] = append(values[h.Key], bytesOrNull(h.Value))
	}
	lists := make(map[ref.Val]ref.Val, len(values))
	for name, list := range values {
		lists[types.String(strings.Clone(name))] = types.NewRefValList(adapter{}, list)
	}
	v.headers = types.NewRefValMap(adapter{}, lists)
	return v.headers
}
