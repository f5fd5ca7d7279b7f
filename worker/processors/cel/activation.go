package cel

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/millrace-dev/millrace/worker/record"
)

// activation resolves the variables for one record, each when it is first
// asked for. It is reused from record to record.
type activation struct {
	rec     *record.Record
	headers ref.Val // nil until it is asked for
	json    ref.Val // nil until it is asked for
	err     error   // why a variable could not be had
}

func (a *activation) reset() { *a = activation{} }

// Parent implements interpreter.Activation.
func (a *activation) Parent() interpreter.Activation { return nil }

// ResolveName implements interpreter.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "key":
		return nullable(a.rec.Key), true
	case "value":
		return nullable(a.rec.Value), true
	case "headers":
		return a.headerMap(), true
	case "topic":
		return types.String(a.rec.Topic), true
	case "partition":
		return types.Int(a.rec.Partition), true
	case "offset":
		return types.Int(a.rec.Offset), true
	case "timestamp":
		if a.rec.Timestamp.IsZero() {
			return types.NullValue, true
		}
		return types.Timestamp{Time: a.rec.Timestamp}, true
	case "json":
		return a.parsed(), true
	default:
		return nil, false
	}
}

func nullable(b []byte) ref.Val {
	if b == nil {
		return types.NullValue
	}
	return types.Bytes(b)
}

// headerMap has a list of values for each name.
func (a *activation) headerMap() ref.Val {
	if a.headers == nil {
		lists := make(map[string][]ref.Val, len(a.rec.Headers))
		for _, h := range a.rec.Headers {
			lists[h.Key] = append(lists[h.Key], nullable(h.Value))
		}
		all := make(map[ref.Val]ref.Val, len(lists))
		for name, values := range lists {
			all[types.String(name)] = types.NewRefValList(types.DefaultTypeAdapter, values)
		}
		a.headers = types.NewRefValMap(types.DefaultTypeAdapter, all)
	}
	return a.headers
}

// parsed is the value as JSON. An error is kept for the processor, since the
// evaluation goes on with any value.
func (a *activation) parsed() ref.Val {
	if a.json == nil {
		a.json, a.err = decode(a.rec.Value)
	}
	if a.err != nil {
		return types.WrapErr(a.err)
	}
	return a.json
}
