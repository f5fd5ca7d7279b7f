package cel

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// beyond explains errors about values that a type can't hold: cel-go says "integer
// overflow", "division by zero" and "index out of range", and names no value. It returns
// "" for other errors.
func (x explainer) beyond(id int64, function string, args []ref.Val, message string) string {
	operands := x.operandsOf(id)
	switch {
	case message == "division by zero", message == "modulus by zero":
		return fmt.Sprintf("%s by zero: %s", callName(function), divisor(operands))
	case strings.HasPrefix(message, "index out of range: "):
		return beyondText(function, operands, args, strings.TrimPrefix(message, "index out of range: "))
	case !strings.Contains(message, " overflow"):
		return ""
	case function == overloads.TypeConvertInt, function == overloads.TypeConvertUint:
		return fmt.Sprintf("%s() can't hold %v: %s", function, args[0].Value(), bounds[function])
	case function == overloads.TypeConvertTimestamp && len(args) == 1 && isWhole(args[0]):
		return fmt.Sprintf("timestamp() takes seconds since 1970, and %v are not within the years 1 to 9999: write time.ofMillis(...) for milliseconds", args[0].Value())
	case strings.HasPrefix(message, "integer"), strings.HasPrefix(message, "unsigned"):
		return fmt.Sprintf("%s has a result that does not fit into 64 bits%s: calculate with double(...)", callName(function), amounts(operands, args))
	case strings.HasPrefix(message, "timestamp"):
		return fmt.Sprintf("%s has a result that is not within the years 1 to 9999", callName(function))
	default: // of a duration
		return fmt.Sprintf("%s has a result that is longer than a duration may be, 292 years", callName(function))
	}
}

// bounds says which numbers a conversion can return.
var bounds = map[string]string{
	overloads.TypeConvertInt:  "an int is from -2^63 to 2^63-1; keep it as it is, or use double()",
	overloads.TypeConvertUint: "a uint is from 0 to 2^64-1; use int() for numbers below 0, and double() for larger ones",
}

// operandsOf returns the arguments of a call, the target of a method among them.
func (x explainer) operandsOf(id int64) []ast.Expr {
	at := expressionAt(x.tree, id)
	if at == nil || at.Kind() != ast.CallKind {
		return nil
	}
	return operandsOfCall(at.AsCall())
}

func operandsOfCall(call ast.CallExpr) []ast.Expr {
	if call.IsMemberFunction() {
		return append([]ast.Expr{call.Target()}, call.Args()...)
	}
	return call.Args()
}

func divisor(operands []ast.Expr) string {
	if len(operands) == 2 && isPath(operands[1]) {
		return fmt.Sprintf("%s is 0: test %[1]s != 0 first", shown(operands[1]))
	}
	return "test the divisor first"
}

// amounts returns the operands that the expression does not write itself, with their
// values, in parentheses.
func amounts(operands []ast.Expr, args []ref.Val) string {
	var found []string
	for i, operand := range operands[:min(len(operands), len(args))] {
		if isPath(operand) {
			found = append(found, fmt.Sprintf("%s is %v", shown(operand), args[i].Value()))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return " (" + strings.Join(found, ", ") + ")"
}

func beyondText(function string, operands []ast.Expr, args []ref.Val, index string) string {
	text, isText := firstText(args)
	if !isText || len(operands) == 0 {
		return ""
	}
	message := fmt.Sprintf("%s: there is no position %s in the %d characters of %s", callName(function), index, utf8.RuneCountInString(text), shown(operands[0]))
	if isPath(operands[0]) {
		message += fmt.Sprintf(": test size(%s) first", shown(operands[0]))
	}
	return message
}

// notANumber says what to write in place of numbers that JSON does not have.
func notANumber(f types.Double) error {
	return fmt.Errorf("JSON has no number for %v: test the operands first, for example that a divisor is not 0", float64(f))
}
