package cel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// explainer turns cel-go's errors into faults.
type explainer struct{ tree *celgo.Ast }

// wrappedCall is a call of one of cel-go's functions, whose errors become faults.
type wrappedCall struct {
	interpreter.InterpretableCall
	explain explainer
}

// Exec implements cel-go's InterpretableV2.
func (c *wrappedCall) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	result := c.InterpretableCall.Exec(frame)
	if err, ok := result.(*types.Err); ok && !isFault(err) && !errors.Is(err, interpreter.InterruptError{}) {
		return c.explained(frame, err)
	}
	return result
}

// Eval implements cel-go's Interpretable.
func (c *wrappedCall) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, c.Exec)
}

// explained evaluates the arguments again, because cel-go's errors don't tell them.
func (c *wrappedCall) explained(frame *interpreter.ExecutionFrame, err *types.Err) ref.Val {
	var args []ref.Val
	for _, arg := range c.Args() {
		value := arg.Exec(frame)
		if types.IsUnknownOrError(value) {
			return err // it is the argument's
		}
		args = append(args, value)
	}
	return c.explain.call(c.ID(), c.Function(), args, err)
}

// call returns the fault for an error of a function that was called with args.
func (x explainer) call(id int64, function string, args []ref.Val, err *types.Err) ref.Val {
	message := err.Error()
	name := callName(function)
	_, isOperator := operators.FindReverse(function)
	text, isText := firstText(args)
	beyond := ""
	if !isFault(err) {
		beyond = x.beyond(id, function, args, message)
	}
	switch {
	case isFault(err):
		return err
	case beyond != "":
		return failed(id, "%s", beyond)
	case isText && conversions[function] != "":
		return failed(id, "%s", unreadableText(function, text))
	case strings.Contains(message, noOverload), strings.HasPrefix(message, "type conversion error"):
		return failed(id, "%s", x.mismatch(id, name, args))
	case message == "optional.none() dereference":
		return failed(id, "value() is for optional values that have a value: write orValue(...) to name another value")
	case !isOperator && written(name) && !strings.HasPrefix(message, name) && !strings.HasPrefix(message, "json:"):
		return failed(id, "%s: %s", name, message)
	default:
		return failed(id, "%s", message)
	}
}

// conversions says what the functions that convert text can read.
var conversions = map[string]string{
	overloads.TypeConvertInt:       "a whole number such as -17, or convert a number with a fraction with double()",
	overloads.TypeConvertUint:      "a whole number without a sign, such as 17",
	overloads.TypeConvertDouble:    "a number such as 17.5",
	overloads.TypeConvertBool:      "true or false",
	overloads.TypeConvertTimestamp: "it as in RFC 3339, such as 2026-01-02T15:04:05Z, or use time.parse(TEXT, FORMAT)",
	overloads.TypeConvertDuration:  "a duration such as 90s, 1h30m or, for a day, 24h",
}

// unreadableText says that a function can't convert a text.
func unreadableText(function, text string) string {
	return fmt.Sprintf("%s() can't read the text %s: write %s", function, quotedStart(text), conversions[function])
}

func firstText(args []ref.Val) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	text, ok := args[0].(types.String)
	return string(text), ok
}

// quotedStart returns the beginning of a text of a record in quotes, for a message.
func quotedStart(text string) string {
	const most = 60
	if runes := []rune(text[:min(len(text), 4*(most+1))]); len(runes) > most {
		return fmt.Sprintf("%q...", string(runes[:most]))
	}
	return fmt.Sprintf("%q", text)
}

// mismatch says that a function does not take arguments of these types, which of the
// operands have them, and what to write instead.
func (x explainer) mismatch(id int64, name string, args []ref.Val) string {
	var names []string
	for _, arg := range args {
		names = append(names, resultType(arg))
	}
	message := fmt.Sprintf("%s does not take (%s)", name, strings.Join(names, ", "))
	at := expressionAt(x.tree, id)
	if at == nil || at.Kind() != ast.CallKind {
		return message
	}
	call := at.AsCall()
	operands := operandsOfCall(call)
	if found := x.unknownTypes(operands, args); len(found) > 0 {
		message += ": " + strings.Join(found, ", ")
	}
	if hint := runtimeHint(call, operands, args, strings.Join(names, ", ")); hint != "" {
		message += ": " + hint
	}
	return message
}

// unknownTypes says which types the operands have that could have any.
func (x explainer) unknownTypes(operands []ast.Expr, values []ref.Val) (found []string) {
	for i, operand := range operands[:min(len(operands), len(values))] {
		t, isNull := x.tree.NativeRep().GetType(operand.ID()), values[i] == types.NullValue
		if isPath(operand) && (t == nil || t.IsExactType(celgo.DynType) || isText(t) || isNull) {
			found = append(found, fmt.Sprintf("%s is %s", shown(operand), withArticle(values[i])))
		}
	}
	return slices.Compact(found)
}

// isPath reports whether an expression is a variable, a part of one, or a call that can be
// shown.
func isPath(e ast.Expr) bool {
	return e.Kind() == ast.IdentKind || strings.ContainsAny(shown(e), ".[(")
}

func withArticle(v ref.Val) string {
	name := resultType(v)
	switch {
	case name == "null", name == "bytes":
		return name
	case strings.ContainsRune("aeio", rune(name[0])):
		return "an " + name
	default:
		return "a " + name
	}
}

// runtimeHint says what to write instead of a call with these values, or returns "".
func runtimeHint(call ast.CallExpr, operands []ast.Expr, values []ref.Val, names string) string {
	for i, operand := range operands[:min(len(operands), len(values))] {
		switch values[i].(type) {
		case types.Null:
			if isPath(operand) {
				return fmt.Sprintf("test %s != null first", shown(operand))
			}
		case *binary:
			return fmt.Sprintf("%s is not UTF-8, so it is no text: write base64.encode(%[1]s) or bytes(%[1]s)", shown(operand))
		case *types.Optional:
			return "write orValue(...), which returns the value of an optional"
		}
	}
	if call.FunctionName() == "join" {
		return "it joins texts: write LIST.map(x, string(x)).join(...)"
	}
	return hint(call, names)
}
