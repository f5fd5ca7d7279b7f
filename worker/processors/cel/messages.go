package cel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// explain replaces the checker's messages by ones that say what to write.
func (c *compiler) explain(parsed *celgo.Ast, mistakes []*common.Error) []*common.Error {
	for _, m := range mistakes {
		m.Message = plainTypes(c.explained(parsed, m))
	}
	return mistakes
}

func (c *compiler) explained(parsed *celgo.Ast, issue *common.Error) string {
	at := expressionAt(parsed, issue.ExprID)
	if at == nil {
		return issue.Message
	}
	if quoted, ok := strings.CutPrefix(issue.Message, "undeclared reference to '"); ok {
		name, _, _ := strings.Cut(quoted, "'")
		if name == "element" || name == "index" {
			return fmt.Sprintf("%s is known to key, topic and headers, if values is set", shown(at))
		}
		return c.undeclared(parsed, at, name)
	}
	if parts := wrongLiteral.FindStringSubmatch(issue.Message); parts != nil {
		if text, ok := literalText(at); ok {
			return unreadableText(parts[1], text)
		}
	}
	if parts := mismatch.FindStringSubmatch(issue.Message); parts != nil && at.Kind() == ast.CallKind {
		if form := c.otherForm(at.AsCall()); form != "" {
			return fmt.Sprintf("%s has another form: write %s", callName(parts[1]), form)
		}
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

// wrongLiteral matches cel-go's message about a constant that duration() or timestamp() can't
// read.
var wrongLiteral = regexp.MustCompile(`^invalid (duration|timestamp) argument$`)

func insteadOfField(sel ast.SelectExpr) string {
	if operand := sel.Operand(); operand.Kind() == ast.IdentKind && operand.AsIdent() == "value" {
		return fmt.Sprintf("value is text; json.%s is the field of its JSON", sel.FieldName())
	}
	return "only json, maps and headers have"
}

// otherForm returns the form of a call in which its function can be called, if the call has
// the other one: json.list.sum() in place of sum(json.list), or the other way round.
func (c *compiler) otherForm(call ast.CallExpr) string {
	function := c.env.Functions()[call.FunctionName()]
	if function == nil || !written(call.FunctionName()) || len(operandsOfCall(call)) == 0 {
		return ""
	}
	for _, overload := range function.OverloadDecls() {
		if overload.IsMemberFunction() == call.IsMemberFunction() {
			return ""
		}
	}
	operands := operandsOfCall(call)
	if call.IsMemberFunction() {
		return fmt.Sprintf("%s(%s%s)", call.FunctionName(), shown(operands[0]), more(operands, ", ..."))
	}
	return fmt.Sprintf("%s.%s(%s)", shown(operands[0]), call.FunctionName(), more(operands, "..."))
}

// more stands for the operands after the first one.
func more(operands []ast.Expr, text string) string {
	if len(operands) > 1 {
		return text
	}
	return ""
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
	case call.FunctionName() == "format" && has("timestamp"):
		return "time.format(TIME, FORMAT) writes a time, with a format such as %Y-%m-%d"
	case call.FunctionName() == operators.Add && strings.Contains(operands, "map("):
		return "OBJECT.merge(OTHER) has the members of both"
	case has("timestamp") && text:
		return "convert the text with timestamp()"
	case has("duration") && text:
		return "convert the text with duration()"
	case has("bytes") && text:
		return "convert the bytes with string()"
	case text && number && convertible(call.FunctionName()):
		return "convert the text with int() or double(), or the number with string()"
	case call.FunctionName() == operators.Modulo && has("double"):
		return "it takes whole numbers: convert with int()"
	case call.FunctionName() == operators.LogicalNot:
		return compareInstead(shown(call.Args()[0]), plainTypes(operands))
	case has("bool") && text:
		return "convert the text with bool()"
	default:
		return ""
	}
}

// convertible reports whether a function that refuses text with numbers would take the one
// converted to the other. Other functions, such as with(), have arguments of both types.
func convertible(function string) bool {
	_, isOperator := operators.FindReverse(function)
	return isOperator || function == equalName || function == unequalName || strings.HasPrefix(function, "math.") ||
		strings.HasPrefix(function, "number.") || slices.Contains([]string{"startsWith", "endsWith", "contains", "matches"}, function)
}

// compareInstead says what to write in place of a value of a type where a bool is needed, or
// returns "".
func compareInstead(path, typeName string) string {
	switch typeName {
	case "string", "string or null":
		return fmt.Sprintf(`compare it, such as %s == "true"`, path)
	case "int", "uint", "double":
		return fmt.Sprintf("compare it, such as %s != 0", path)
	case "list", "map":
		return fmt.Sprintf("compare its size, such as size(%s) > 0", path)
	case "null":
		return fmt.Sprintf("test %s != null first", path)
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
