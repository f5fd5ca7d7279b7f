package cel

import (
	"fmt"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// explain replaces the checker's messages by ones that say what to write.
func explain(parsed *celgo.Ast, issues *celgo.Issues) {
	for _, issue := range issues.Errors() {
		issue.Message = plainTypes(explained(parsed, issue))
	}
}

func explained(parsed *celgo.Ast, issue *common.Error) string {
	at := expressionAt(parsed, issue.ExprID)
	if at == nil {
		return issue.Message
	}
	if name, ok := strings.CutPrefix(issue.Message, "undeclared reference to '"); ok && (strings.HasPrefix(name, "element'") || strings.HasPrefix(name, "index'")) {
		return fmt.Sprintf("%s is known to key, topic and headers, if values is set", shown(at))
	}
	if parts := mismatch.FindStringSubmatch(issue.Message); parts != nil && at.Kind() == ast.CallKind {
		return explainedCall(at.AsCall(), parts[1], parts[2], parts[3])
	}
	if strings.HasSuffix(issue.Message, "does not support field selection") && at.Kind() == ast.SelectKind {
		sel := at.AsSelect()
		return fmt.Sprintf("%s has no fields: %s", shown(sel.Operand()), insteadOfField(sel))
	}
	if strings.HasPrefix(issue.Message, "expected type '") && !strings.HasPrefix(issue.Message, "expected type 'bool'") {
		return issue.Message + ": the start of reduce() must have the type of its result, such as 0.0 for a double"
	}
	if strings.Contains(issue.Message, "cannot be range of a comprehension") {
		return issue.Message + ": for a text, write json to loop over its JSON, or split() it"
	}
	return issue.Message
}

func insteadOfField(sel ast.SelectExpr) string {
	if operand := sel.Operand(); operand.Kind() == ast.IdentKind && operand.AsIdent() == "value" {
		return fmt.Sprintf("value is text; json.%s is the field of its JSON", sel.FieldName())
	}
	return "only json, maps and headers have"
}

func explainedCall(call ast.CallExpr, function, target, operands string) string {
	if target != "" {
		operands = strings.TrimSuffix(target+", "+operands, ", ")
	}
	message := fmt.Sprintf("%s does not take (%s)", callName(function), operands)
	if hint := hint(call, operands); hint != "" {
		message += ": " + hint
	}
	return message
}

// callName returns the name of a function or an operator as it is written.
func callName(function string) string {
	switch function {
	case operators.Index:
		return "[]"
	case operators.Conditional:
		return "?:"
	case equalName:
		return "=="
	case unequalName:
		return "!="
	case "@sortByAssociatedKeys":
		return "sortBy"
	case "math.@max":
		return "math.greatest"
	case "math.@min":
		return "math.least"
	}
	if name, isOperator := operators.FindReverse(function); isOperator && name != "" {
		return name
	}
	return function
}

// hint says what to write instead of a call with operands of these types, or returns "".
func hint(call ast.CallExpr, operands string) string {
	has := func(types ...string) bool {
		found := 0
		for _, operand := range strings.Split(operands, ", ") {
			for _, t := range types {
				if operand == t {
					found++
				}
			}
		}
		return found > 0
	}
	text, number := has("string", "wrapper(string)"), has("int", "uint", "double")
	switch {
	case strings.Contains(operands, "list(wrapper(string))") && text:
		return `a header may repeat, so headers has lists: header("NAME") is the last value of a header`
	case call.FunctionName() == operators.Index && text:
		return "a text has no elements: json is the value's JSON, and charAt() returns a character"
	case has("timestamp") && text:
		return "convert the text with timestamp()"
	case has("duration") && text:
		return "convert the text with duration()"
	case has("bytes") && text:
		return "convert the bytes with string()"
	case text && number:
		return "convert the text with int() or double(), or the number with string()"
	case has("bool") && text:
		return "convert the text with bool()"
	default:
		return ""
	}
}

// shown returns a short form of an expression: a path of fields, or a description.
func shown(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		return shown(e.AsSelect().Operand()) + "." + e.AsSelect().FieldName()
	case ast.CallKind:
		return shownCall(e.AsCall())
	case ast.LiteralKind:
		return "the constant"
	default:
		return "the value"
	}
}

func shownCall(call ast.CallExpr) string {
	if name := call.FunctionName(); name == operators.Index || name == operators.OptIndex || name == operators.OptSelect {
		args := call.Args()
		path := shown(args[0])
		if args[1].Kind() != ast.LiteralKind {
			return path + "[...]"
		}
		if name == operators.OptSelect {
			return fmt.Sprintf("%s.?%v", path, args[1].AsLiteral().Value())
		}
		return fmt.Sprintf("%s[%s]", path, literal(args[1]))
	}
	name := callName(call.FunctionName())
	switch args := call.Args(); {
	case name != call.FunctionName() || !written(name):
		return "the result of " + name
	case call.IsMemberFunction():
		return shown(call.Target()) + "." + name + "()"
	case len(args) == 1 && args[0].Kind() == ast.LiteralKind:
		return fmt.Sprintf("%s(%s)", name, literal(args[0]))
	default:
		return name + "()"
	}
}

// literal returns a constant index as it is written.
func literal(e ast.Expr) string {
	if text, ok := e.AsLiteral().Value().(string); ok {
		return fmt.Sprintf("%q", text)
	}
	return fmt.Sprint(e.AsLiteral().Value())
}
