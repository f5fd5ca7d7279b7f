package cel

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/millrace-dev/millrace/worker"
)

// expression is a compiled expression.
type expression struct {
	name    string // the path of its field in the configuration
	tree    *celgo.Ast
	program celgo.Program
	loops   bool
	borrows bool   // results may share the record's memory
	limit   uint64 // bounds an evaluation's cost
}

// eval evaluates the expression. The result may refer to the record's bytes and to
// vars.
func (e *expression) eval(vars *variables) (ref.Val, error) {
	result, err := e.run(vars)
	if err == nil {
		return result, nil
	}
	if vars.ctx.Err() != nil {
		return nil, fmt.Errorf("%s: the evaluation was stopped: %w", e.name, vars.ctx.Err())
	}
	if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && cancelled.Cause == interpreter.CostLimitExceeded {
		return nil, e.tooExpensive()
	}
	// The error may refer to the record's bytes, but must outlive them.
	place, message := describe(e.tree, err)
	return nil, errors.New(e.name + place + ": " + message)
}

func (e *expression) run(vars *variables) (ref.Val, error) {
	vars.spent, vars.limit = 0, e.limit
	if !e.loops {
		result, _, err := e.program.Eval(vars)
		vars.total = saturatingAdd(vars.total, vars.spent)
		return result, err
	}
	result, details, err := e.program.ContextEval(uncalled{vars.ctx}, vars)
	if cost := details.ActualCost(); cost != nil {
		vars.total = saturatingAdd(vars.total, *cost)
	}
	return result, err
}

func (e *expression) tooExpensive() error {
	return fmt.Errorf("%s: the evaluation costs more than %d units, which is the limit: "+
		"avoid loops within loops, and functions that compare or join large lists or texts", e.name, e.limit)
}

func (e *expression) boolean(vars *variables) (bool, error) {
	result, err := e.eval(vars)
	if err != nil {
		return false, err
	}
	if b, ok := result.(types.Bool); ok {
		return bool(b), nil
	}
	return false, e.unexpected(boolean, result)
}

// maxTopicName is the longest name of a topic in Kafka.
const maxTopicName = 249

// topicName returns the result, which must be a name that a topic can have: Kafka would
// refuse another one again and again.
func (e *expression) topicName(vars *variables) (string, error) {
	name, err := e.text(vars)
	if err != nil {
		return "", err
	}
	illegal := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	}
	if len(name) > maxTopicName || name == "." || name == ".." || strings.ContainsFunc(name, illegal) {
		return "", fmt.Errorf("%s: no topic can be called %s: a name has up to %d letters, digits, dots, underscores and hyphens",
			e.name, quotedStart(name), maxTopicName)
	}
	return name, nil
}

func (e *expression) text(vars *variables) (string, error) {
	result, err := e.eval(vars)
	if err != nil {
		return "", err
	}
	s, ok := result.(types.String)
	if !ok {
		return "", e.unexpected(text, result)
	}
	if s == "" {
		return "", fmt.Errorf("%s: the result is empty", e.name)
	}
	if e.borrows {
		return strings.Clone(string(s)), nil
	}
	return string(s), nil
}

// bytes returns the result's bytes, nil for null. They may be the record's, or in out's
// buffer.
func (e *expression) bytes(vars *variables, out *worker.Outputs) ([]byte, error) {
	result, err := e.eval(vars)
	if err != nil {
		return nil, err
	}
	return e.written(vars, result, out)
}

// written returns the bytes of a result, or of an element of it.
func (e *expression) written(vars *variables, result ref.Val, out *worker.Outputs) ([]byte, error) {
	// A loop can build a list that contains another list any number of times.
	if e.loops && weigh(result, e.limit) > e.limit {
		return nil, e.tooExpensive()
	}
	if text, ok := result.(types.String); ok && e.borrows {
		if b := vars.whole(string(text)); b != nil {
			return b, nil
		}
	}
	b, err := vars.results.write(result, out)
	if err != nil {
		return nil, fmt.Errorf("%s: the result can't be written as JSON: %w", e.name, err)
	}
	return b, nil
}

func (e *expression) unexpected(want kind, got ref.Val) error {
	return want.refusal(e.name, e.tree, withArticle(got), resultType(got))
}
