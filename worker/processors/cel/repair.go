package cel

import (
	"regexp"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
)

// check parses and checks an expression. cel-go's checker refuses some comparisons that
// are natural here: of an int with a double, and of text with bytes. It also refuses a
// condition that chooses between null and a value of a type that has no null. Such calls
// are replaced, and the expression is checked again.
func (c *compiler) check(source common.Source) (*celgo.Ast, []*common.Error) {
	parsed, issues := c.env.ParseSource(source)
	if issues.Err() != nil {
		return nil, explainSyntax(source, byPlace(issues.Errors()))
	}
	for {
		tree, issues := c.env.Check(parsed)
		if issues.Err() == nil {
			return tree, nil
		}
		if !repair(parsed, issues) {
			return nil, c.explain(parsed, issues.Errors())
		}
	}
}

// mismatch matches the checker's message about operands of the wrong types.
var mismatch = regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(?:(.*)\.)?\((.*)\)'$`)

// repair replaces the calls that the issues are about, and reports whether there is one
// that it could replace.
func repair(parsed *celgo.Ast, issues *celgo.Issues) bool {
	repaired := false
	for _, issue := range issues.Errors() {
		parts := mismatch.FindStringSubmatch(issue.Message)
		call := expressionAt(parsed, issue.ExprID)
		if parts == nil || call == nil || call.Kind() != ast.CallKind {
			continue
		}
		repaired = repairCall(parsed, call, parts[3]) || repaired
	}
	return repaired
}

func repairCall(parsed *celgo.Ast, call ast.Expr, operands string) bool {
	factory := ast.NewExprFactory()
	c := call.AsCall()
	rename := func(name string) bool {
		if !comparable(operands) {
			return false
		}
		call.SetKindCase(factory.NewCall(call.ID(), name, c.Args()...))
		return true
	}
	switch c.FunctionName() {
	case operators.Equals:
		return rename(equalName) || textLiterals(c.Args())
	case operators.NotEquals:
		return rename(unequalName) || textLiterals(c.Args())
	case operators.Conditional:
		return textLiterals(c.Args()) || anyNull(parsed, c.Args()[1:])
	case operators.In, "or", "orValue":
		return textLiterals(c.Args())
	default:
		return false
	}
}

// comparable reports whether the operands' types are two that equal can compare.
func comparable(operands string) bool {
	a, b, ok := strings.Cut(operands, ", ")
	if !ok {
		return false
	}
	number := func(t string) bool { return t == "int" || t == "uint" || t == "double" }
	text := func(t string) bool { return t == "string" || t == "wrapper(string)" }
	return number(a) && number(b) || text(a) && b == "bytes" || a == "bytes" && text(b)
}

// textLiterals turns literal bytes in the arguments into text, and reports whether there
// are any. Expressions from before key, value and headers were text may have them.
func textLiterals(args []ast.Expr) bool {
	found := false
	for _, arg := range args {
		switch arg.Kind() {
		case ast.ListKind:
			found = textLiterals(arg.AsList().Elements()) || found
		case ast.LiteralKind:
			if b, ok := arg.AsLiteral().(types.Bytes); ok {
				arg.SetKindCase(ast.NewExprFactory().NewLiteral(arg.ID(), types.String(b)))
				found = true
			}
		}
	}
	return found
}

// anyNull turns a literal null of a condition's branches into a value of any type, and
// reports whether there is one. So a condition may choose between an object and a
// tombstone.
func anyNull(parsed *celgo.Ast, branches []ast.Expr) bool {
	factory := ast.NewExprFactory()
	found := false
	for _, e := range branches {
		if e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue {
			null := factory.NewLiteral(ast.MaxID(parsed.NativeRep())+1, types.NullValue)
			e.SetKindCase(factory.NewCall(e.ID(), overloads.TypeConvertDyn, null))
			found = true
		}
	}
	return found
}

// expressionAt returns the part of an expression with an ID, or nil.
func expressionAt(tree *celgo.Ast, id int64) ast.Expr {
	var found ast.Expr
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if found == nil && e.ID() == id {
			found = e
		}
	}))
	return found
}
