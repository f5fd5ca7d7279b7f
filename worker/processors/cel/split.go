package cel

import (
	"fmt"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/traits"

	"github.com/millrace-dev/millrace/worker"
)

// The bounds of the outputs of one record. The outputs of an attempt are in memory at the
// same time, beside those of the other goroutines.
const (
	maxOutputs     = 10_000
	maxOutputBytes = 64 << 20 // of keys, values and headers
)

// split emits one record for each element of the list of values, in its order.
func (p *Processor) split(vars *variables, out *worker.Outputs) error {
	values, err := p.values.list(vars)
	if err != nil {
		return err
	}
	n := sizeOf(values)
	if n > maxOutputs {
		return fmt.Errorf("%s: the list has %d elements, and a record may have %d results: select or join some", p.values.name, n, maxOutputs)
	}
	size := 0
	vars.total = 0
	for i := range n {
		result := worker.Output{}
		vars.element, vars.index = values.Get(types.Int(i)), i
		if result.Value, err = p.values.written(vars, vars.element, out); err != nil {
			return fmt.Errorf("%w, at element %d", err, i)
		}
		if err := p.address(vars, out, &result); err != nil {
			return fmt.Errorf("%w, at element %d", err, i)
		}
		if err := p.bounded(vars); err != nil {
			return err
		}
		if size += sizeOfOutput(vars.rec, &result); size > maxOutputBytes {
			return fmt.Errorf("%s: the results have more than %d MiB together, at element %d: select some, or write smaller ones",
				p.values.name, maxOutputBytes>>20, i)
		}
		out.Emit(result)
	}
	return nil
}

// bounded returns an error if the expressions that are evaluated for each element cost too
// much together, or if the attempt has ended.
func (p *Processor) bounded(vars *variables) error {
	if err := vars.ctx.Err(); err != nil {
		return fmt.Errorf("%s: the evaluation was stopped: %w", p.values.name, err)
	}
	if vars.total > p.values.limit {
		return fmt.Errorf("%skey, topic and headers: their evaluations for the elements of values cost more than %d units together, "+
			"which is the limit: select fewer elements", field, p.values.limit)
	}
	return nil
}

// sizeOfOutput returns the bytes of an output.
func sizeOfOutput(rec *worker.Record, o *worker.Output) int {
	key, headers := o.Key, o.Headers
	if key == nil && !o.NullKey {
		key = rec.Key
	}
	if headers == nil {
		headers = rec.Headers
	}
	size := len(key) + len(o.Value)
	for _, h := range headers {
		size += len(h.Key) + len(h.Value)
	}
	return size
}

// list returns the result, which must be a list.
func (e *expression) list(vars *variables) (traits.Lister, error) {
	result, err := e.eval(vars)
	if err != nil {
		return nil, err
	}
	if values, ok := result.(traits.Lister); ok {
		return values, nil
	}
	return nil, e.unexpected(list, result)
}
