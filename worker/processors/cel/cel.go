// Package cel implements the built-in processor "cel": expressions in the Common
// Expression Language filter records and replace their parts. In the data path it
// takes the place of a user's code. The pool passes records to it, and the engine
// appends its outputs to batches.
package cel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// Processor evaluates expressions on records. It is safe for concurrent use.
type Processor struct {
	filter, key, value, topic *expression // nil: the output keeps the record's
	values                    *expression // nil: one output for each record
	headers                   []header
	variables                 sync.Pool // of *variables
}

var _ worker.Processor = (*Processor)(nil)

// header is the expression for the header with this name.
type header struct {
	name  string
	value *expression
}

// New compiles the expressions of cfg. The error names all mistakes in them, each with
// its field, line and column, and the keys for hmac.sha256 that the environment lacks.
func New(cfg config.CEL) (*Processor, error) {
	c, err := newCompiler()
	if err != nil {
		return nil, err
	}
	p, err := c.processor(cfg)
	if err := errors.Join(err, errors.Join(c.keys...)); err != nil {
		return nil, err
	}
	return p, nil
}

// Check returns the error of New, except that it looks for no keys: it is for programs
// that don't run the expressions.
func Check(cfg config.CEL) error {
	c, err := newCompiler()
	if err != nil {
		return err
	}
	_, err = c.processor(cfg)
	return err
}

func (c *compiler) processor(cfg config.CEL) (*Processor, error) {
	if cfg.Value != "" && cfg.Values != "" {
		c.errs = append(c.errs, fmt.Errorf("%svalues: value is set too: value is for one result and values for a list of them, so remove one", field))
	}
	p := &Processor{
		filter: c.compile("filter", cfg.Filter, boolean),
		value:  c.compile("value", cfg.Value, anything),
		values: c.compile("values", cfg.Values, list),
	}
	if p.values != nil {
		c.withElement()
	}
	p.key, p.topic = c.compile("key", cfg.Key, anything), c.compile("topic", cfg.Topic, text)
	for _, name := range slices.Sorted(maps.Keys(cfg.Headers)) {
		p.headers = append(p.headers, header{name, c.compileHeader(name, cfg.Headers[name])})
	}
	if err := errors.Join(c.errs...); err != nil {
		return nil, err
	}
	p.variables.New = func() any { return new(variables) }
	return p, nil
}

// Process emits one record, or one for each element of values, or none if the filter's
// result is false. It returns an error if an expression fails or has a result of the wrong
// type.
//
// The same record causes the same error each time, so errors are permanent, except when
// ctx has ended the evaluation.
func (p *Processor) Process(ctx context.Context, rec *worker.Record, out *worker.Outputs) error {
	if p.identity() {
		out.EmitValue(rec.Value)
		return nil
	}
	// After a panic, nobody uses these variables again.
	vars := p.variables.Get().(*variables)
	vars.rec, vars.ctx = rec, ctx
	err := p.evaluate(vars, out)
	vars.reset()
	p.variables.Put(vars)
	if err != nil && ctx.Err() == nil {
		return worker.Permanent(err)
	}
	return err
}

func (p *Processor) identity() bool {
	return p.filter == nil && p.key == nil && p.value == nil && p.values == nil && p.topic == nil && len(p.headers) == 0
}

func (p *Processor) evaluate(vars *variables, out *worker.Outputs) error {
	if p.filter != nil {
		if keep, err := p.filter.boolean(vars); err != nil || !keep {
			return err
		}
	}
	if p.values != nil {
		return p.split(vars, out)
	}
	result := worker.Output{Value: vars.rec.Value}
	if p.value != nil {
		var err error
		if result.Value, err = p.value.bytes(vars, out); err != nil {
			return err
		}
	}
	if err := p.address(vars, out, &result); err != nil {
		return err
	}
	out.Emit(result)
	return nil
}

// address sets the parts of an output other than its value.
func (p *Processor) address(vars *variables, out *worker.Outputs, result *worker.Output) (err error) {
	if p.key != nil {
		if result.Key, err = p.key.bytes(vars, out); err != nil {
			return err
		}
		result.NullKey = result.Key == nil
	}
	if p.topic != nil {
		if result.Topic, err = p.topic.topicName(vars); err != nil {
			return err
		}
	}
	if len(p.headers) > 0 {
		result.Headers, err = p.replaceHeaders(vars, out)
	}
	return err
}

// replaceHeaders returns the record's headers, without those that expressions
// replace, followed by the replacements.
func (p *Processor) replaceHeaders(vars *variables, out *worker.Outputs) ([]worker.Header, error) {
	headers := make([]worker.Header, 0, len(vars.rec.Headers)+len(p.headers))
	for _, h := range vars.rec.Headers {
		if !p.replaces(h.Key) {
			headers = append(headers, h)
		}
	}
	for _, h := range p.headers {
		value, err := h.value.bytes(vars, out)
		if err != nil {
			return nil, err
		}
		headers = append(headers, worker.Header{Key: h.name, Value: value})
	}
	return headers, nil
}

func (p *Processor) replaces(name string) bool {
	return slices.ContainsFunc(p.headers, func(h header) bool { return h.name == name })
}
