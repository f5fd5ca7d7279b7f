package cel

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
)

// Evaluation is what an expression has evaluated to on a record.
type Evaluation struct {
	// Expression is the path of the expression in the configuration, such as
	// "processor.cel.filter".
	Expression string
	// Type is the name of the result's type.
	Type string
	// Result is the result as JSON, or a description if it has no form in JSON.
	Result string
}

// Observed returns a Processor that does what p does, and passes each result of an
// expression to observe, in the order of their evaluation. It shows people what their
// expressions do, and is slower than p.
func (p *Processor) Observed(observe func(Evaluation)) *Processor {
	o := &Processor{
		filter: p.filter.observed(observe),
		key:    p.key.observed(observe),
		value:  p.value.observed(observe),
		values: p.values.observed(observe),
		topic:  p.topic.observed(observe),
	}
	for _, h := range p.headers {
		o.headers = append(o.headers, header{h.name, h.value.observed(observe)})
	}
	o.variables.New = p.variables.New
	return o
}

// observed returns nil for nil.
func (e *expression) observed(observe func(Evaluation)) *expression {
	if e == nil {
		return nil
	}
	watched := *e
	watched.program = observedProgram{e.program, func(vars *variables, result ref.Val) {
		observe(Evaluation{e.name, resultType(result), e.shown(vars, result)})
	}}
	return &watched
}

// observedProgram passes the results of a program to note.
type observedProgram struct {
	celgo.Program
	note func(*variables, ref.Val)
}

// Eval implements celgo.Program.
func (p observedProgram) Eval(vars any) (ref.Val, *celgo.EvalDetails, error) {
	result, details, err := p.Program.Eval(vars)
	if err == nil {
		p.note(vars.(*variables), result)
	}
	return result, details, err
}

// ContextEval implements celgo.Program.
func (p observedProgram) ContextEval(ctx context.Context, vars any) (ref.Val, *celgo.EvalDetails, error) {
	result, details, err := p.Program.ContextEval(ctx, vars)
	if err == nil {
		p.note(vars.(*variables), result)
	}
	return result, details, err
}

// shown returns the result's JSON.
func (e *expression) shown(vars *variables, result ref.Val) string {
	if raw, ok := rawBytes(result); ok {
		if !utf8.Valid(raw) {
			return fmt.Sprintf("%q", raw)
		}
		return quoted(string(raw))
	}
	// A loop can build a list that contains another list any number of times.
	if e.loops && weigh(result, e.limit) > e.limit {
		return "(too large)"
	}
	value, err := vars.results.notes.native(result)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return quoted(value)
}

func quoted(value any) string {
	text, err := encoded(value)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	return text
}

// resultType returns the name of a result's type, as people who write expressions know it.
func resultType(result ref.Val) string {
	name := strings.TrimPrefix(result.Type().TypeName(), "google.protobuf.")
	return strings.ToLower(strings.TrimSuffix(name, "_type"))
}
