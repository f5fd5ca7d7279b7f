package cel

import (
	"fmt"
	"slices"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// never returns the comparisons that can never be true, because JSON has no values of a
// type. The checker knows nothing about the types in JSON.
func never(tree *celgo.Ast) []*common.Error {
	n := &neverTrue{tree: tree}
	n.visit(tree.NativeRep().Expr(), map[string]bool{"json": true})
	return n.found
}

type neverTrue struct {
	tree  *celgo.Ast
	found []*common.Error
}

var comparing = []string{
	operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.In,
}

// visit looks at an expression and all of its parts. parsed holds the variables whose
// values are JSON.
func (n *neverTrue) visit(e ast.Expr, parsed map[string]bool) {
	switch e.Kind() {
	case ast.CallKind:
		call := e.AsCall()
		if slices.Contains(comparing, call.FunctionName()) {
			n.compare(call, parsed)
		}
		if call.IsMemberFunction() {
			n.visit(call.Target(), parsed)
		}
		n.visitAll(call.Args(), parsed)
	case ast.SelectKind:
		n.visit(e.AsSelect().Operand(), parsed)
	case ast.ListKind:
		n.visitAll(e.AsList().Elements(), parsed)
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			n.visitAll([]ast.Expr{entry.AsMapEntry().Key(), entry.AsMapEntry().Value()}, parsed)
		}
	case ast.ComprehensionKind:
		n.visitLoop(e.AsComprehension(), parsed)
	}
}

func (n *neverTrue) visitAll(list []ast.Expr, parsed map[string]bool) {
	for _, e := range list {
		n.visit(e, parsed)
	}
}

func (n *neverTrue) visitLoop(loop ast.ComprehensionExpr, parsed map[string]bool) {
	n.visitAll([]ast.Expr{loop.IterRange(), loop.AccuInit()}, parsed)
	inner := map[string]bool{}
	for name, is := range parsed {
		inner[name] = is
	}
	over := isParsed(loop.IterRange(), parsed)
	inner[loop.IterVar()] = over
	inner[loop.IterVar2()] = over
	inner[loop.AccuVar()] = isBinding(loop) && isParsed(loop.AccuInit(), parsed)
	n.visitAll([]ast.Expr{loop.LoopCondition(), loop.LoopStep(), loop.Result()}, inner)
}

// isBinding reports whether a loop is cel.bind(), whose variable has one value.
func isBinding(loop ast.ComprehensionExpr) bool {
	condition := loop.LoopCondition()
	return condition.Kind() == ast.LiteralKind && condition.AsLiteral() == types.False
}

// isParsed reports whether an expression is JSON, or a part of JSON.
func isParsed(e ast.Expr, parsed map[string]bool) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return parsed[e.AsIdent()]
	case ast.SelectKind:
		return !e.AsSelect().IsTestOnly() && isParsed(e.AsSelect().Operand(), parsed)
	case ast.CallKind:
		return e.AsCall().FunctionName() == operators.Index && isParsed(e.AsCall().Args()[0], parsed)
	default:
		return false
	}
}

func (n *neverTrue) compare(call ast.CallExpr, parsed map[string]bool) {
	args := call.Args()
	for i, arg := range args {
		other := args[1-i]
		t := n.tree.NativeRep().GetType(other.ID())
		if !isParsed(arg, parsed) || isJSON(t, call.FunctionName()) {
			continue
		}
		operator, _ := operators.FindReverse(call.FunctionName())
		message := fmt.Sprintf("%s can never be true: %s is JSON, which has no %s", operator, shown(arg), typeName(t))
		if convert := conversion(t, call.FunctionName()); convert != "" {
			message += fmt.Sprintf(": write %s(%s)", convert, shown(arg))
		}
		location := n.tree.NativeRep().SourceInfo().GetStartLocation(arg.ID())
		n.found = append(n.found, common.NewError(arg.ID(), message, location))
	}
}

// isJSON reports whether values of a type may equal values of JSON. Bytes may equal a
// text, but not within a list or a map.
func isJSON(t *celgo.Type, function string) bool {
	switch t.Kind() {
	case types.BytesKind:
		return function == operators.Equals || function == operators.NotEquals
	case types.TimestampKind, types.DurationKind, types.TypeKind, types.OpaqueKind:
		return false
	case types.ListKind, types.MapKind:
		return !slices.ContainsFunc(t.Parameters(), func(p *celgo.Type) bool { return !isJSON(p, "") })
	default:
		return true
	}
}

// conversion returns the function that turns a value of JSON into one of a type, or "".
func conversion(t *celgo.Type, function string) string {
	if function == operators.In {
		return ""
	}
	switch t.Kind() {
	case types.TimestampKind:
		return "timestamp"
	case types.DurationKind:
		return "duration"
	case types.BytesKind:
		return "bytes"
	default:
		return ""
	}
}
