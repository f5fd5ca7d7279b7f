package cel

import (
	"context"
	"strings"
	"time"
	"unsafe"

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
	total        uint64    // the cost of all evaluations since it was last set to 0
	now          time.Time // zero until the first use
	headers      ref.Val   // nil until the first use
	json         any       // nil until the first use; an error if the value is not JSON
	results      writer
	// element is the element of the list of values that the next output is made of, and
	// index its position.
	element ref.Val
	index   int
}

// reset drops all references to the record.
func (v *variables) reset() {
	v.rec, v.ctx, v.headers, v.json, v.element, v.now = nil, nil, nil, nil, nil, time.Time{}
	v.results.notes = notes{}
}

// ResolveName implements cel-go's Activation.
func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "value":
		return textOrNull(v.rec.Value), true
	case "json":
		parsed := v.parsed()
		if err, ok := parsed.(error); ok {
			return types.WrapErr(err), true // a new one, which gets the place of this use
		}
		return parsed, true
	case "key":
		return textOrNull(v.rec.Key), true
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
	case "element":
		return v.element, true
	case "index":
		return types.Int(v.index), true
	case evaluationName:
		return v, true
	default:
		return nil, false
	}
}

// Parent implements cel-go's Activation.
func (v *variables) Parent() celgo.Activation { return nil }

// whole returns the record's value or key if a text is that and shares its memory, and
// nil otherwise.
func (v *variables) whole(text string) []byte {
	for _, b := range [][]byte{v.rec.Value, v.rec.Key} {
		if len(text) > 0 && len(b) == len(text) && unsafe.SliceData(b) == unsafe.StringData(text) {
			return b
		}
	}
	return nil
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
		v.json = err
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
		values[h.Key] = append(values[h.Key], textOrNull(h.Value))
	}
	lists := make(map[ref.Val]ref.Val, len(values))
	for name, list := range values {
		lists[types.String(strings.Clone(name))] = types.NewRefValList(adapter{}, list)
	}
	v.headers = types.NewRefValMap(adapter{}, lists)
	return v.headers
}
