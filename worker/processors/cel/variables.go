package cel

import (
	"context"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
)

// variables holds the variables that expressions see of one record. An expression's
// first use of a variable makes its value. One goroutine at a time reuses them from
// record to record.
type variables struct {
	rec *worker.Record
	ctx context.Context // of the attempt
	// limit bounds the cost of the evaluation under way. spent is its cost so far,
	// if cel-go does not track it.
	limit, spent uint64
	headers      ref.Val // nil until the first use
	json         any     // nil until the first use; an error value if the value is not JSON
	results      writer
}

// reset drops all references to the record.
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

// timestamp returns the record's timestamp, or null if it has none.
func (v *variables) timestamp() ref.Val {
	if v.rec.Timestamp.IsZero() {
		return types.NullValue
	}
	return types.Timestamp{Time: v.rec.Timestamp.UTC()}
}

// parsed returns the value, parsed as JSON once. A tombstone's is null.
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

// headerMap returns the headers. It copies their names, because a result may be one of
// them, and the record's memory is only borrowed.
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
