package cel

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/record"
)

// Processor runs expressions on records. It is safe for concurrent use.
//
// A record that the filter says false of is filtered. What has no expression is
// taken over from the record; with no expression at all the record is copied.
// An expression that fails is a failed attempt.
type Processor struct {
	filter, key, value, topic *expression
	headers                   []headerExpression // in the order of their names
	activations               sync.Pool
}

// expression is a compiled expression and where users wrote it.
type expression struct {
	field   string
	program celgo.Program
}

type headerExpression struct {
	name string
	expression
}

// New compiles the expressions. The error names all that are wrong, each with
// its field, line and column.
func New(cfg config.CEL) (*Processor, error) {
	env, err := newEnvironment()
	if err != nil {
		return nil, err
	}
	var errs []error
	add := func(field, text string, want *celgo.Type) *expression {
		if text == "" {
			return nil
		}
		program, err := compile(env, field, text, want)
		errs = append(errs, err)
		return &expression{field: field, program: program}
	}
	p := &Processor{
		filter: add("processor.cel.filter", cfg.Filter, celgo.BoolType),
		key:    add("processor.cel.key", cfg.Key, nil),
		value:  add("processor.cel.value", cfg.Value, nil),
		topic:  add("processor.cel.topic", cfg.Topic, celgo.StringType),
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Headers)) {
		if e := add(fmt.Sprintf("processor.cel.headers[%s]", name), cfg.Headers[name], nil); e != nil {
			p.headers = append(p.headers, headerExpression{name, *e})
		}
	}
	p.activations.New = func() any { return new(activation) }
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return p, nil
}

// Process implements record.Processor.
func (p *Processor) Process(ctx context.Context, rec *record.Record, out *record.Outputs) error {
	if p.filter == nil && p.key == nil && p.value == nil && p.topic == nil && p.headers == nil {
		out.EmitValue(rec.Value)
		return nil
	}
	vars := p.activations.Get().(*activation)
	vars.rec = rec
	defer func() {
		vars.reset()
		p.activations.Put(vars)
	}()
	keep, err := p.keeps(ctx, vars)
	if err != nil || !keep {
		return err
	}
	o := record.Output{Value: rec.Value}
	if err := p.fill(ctx, vars, &o); err != nil {
		return err
	}
	out.Emit(o)
	return nil
}

func (p *Processor) keeps(ctx context.Context, vars *activation) (bool, error) {
	if p.filter == nil {
		return true, nil
	}
	result, err := p.filter.eval(ctx, vars)
	if err != nil {
		return false, err
	}
	keep, ok := result.(types.Bool)
	if !ok {
		return false, fmt.Errorf("%s: the result is a %s; it must be a bool", p.filter.field, result.Type())
	}
	return bool(keep), nil
}

func (p *Processor) fill(ctx context.Context, vars *activation, o *record.Output) (err error) {
	if p.value != nil {
		if o.Value, err = p.value.bytes(ctx, vars); err != nil {
			return err
		}
	}
	if p.key != nil {
		if o.Key, err = p.key.bytes(ctx, vars); err != nil {
			return err
		}
		o.NullKey = o.Key == nil
	}
	if p.topic != nil {
		if o.Topic, err = p.topicName(ctx, vars); err != nil {
			return err
		}
	}
	if p.headers != nil {
		o.Headers, err = p.setHeaders(ctx, vars)
	}
	return err
}

func (p *Processor) topicName(ctx context.Context, vars *activation) (string, error) {
	result, err := p.topic.eval(ctx, vars)
	if err != nil {
		return "", err
	}
	name, ok := result.(types.String)
	if !ok || name == "" {
		return "", fmt.Errorf("%s: the result %v is no topic name; it must be a string that is not empty", p.topic.field, result)
	}
	return string(name), nil
}

// setHeaders returns the record's headers with those that have an expression
// replaced, at the end.
func (p *Processor) setHeaders(ctx context.Context, vars *activation) ([]record.Header, error) {
	headers := make([]record.Header, 0, len(vars.rec.Headers)+len(p.headers))
	for _, h := range vars.rec.Headers {
		if !slices.ContainsFunc(p.headers, func(e headerExpression) bool { return e.name == h.Key }) {
			headers = append(headers, h)
		}
	}
	for i := range p.headers {
		value, err := p.headers[i].bytes(ctx, vars)
		if err != nil {
			return nil, err
		}
		headers = append(headers, record.Header{Key: p.headers[i].name, Value: value})
	}
	return headers, nil
}

func (e *expression) eval(ctx context.Context, vars *activation) (ref.Val, error) {
	vars.err = nil
	result, _, err := e.program.ContextEval(ctx, vars)
	switch {
	case vars.err != nil:
		// The variable's own error says more than that it could not be had.
		return nil, fmt.Errorf("%s: %w", e.field, vars.err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", e.field, err)
	}
	return result, nil
}

// bytes evaluates to what is written: nil for null.
func (e *expression) bytes(ctx context.Context, vars *activation) ([]byte, error) {
	result, err := e.eval(ctx, vars)
	if err != nil {
		return nil, err
	}
	b, err := encode(result)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.field, err)
	}
	return b, nil
}
