package cel

import (
	"fmt"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"
)

// demand is what an operator or a loop needs a part of the expression to be, where the
// checker could not make sure of it. cel-go's errors about these name nothing.
type demand struct {
	path string // of the part
	by   string // such as "&&" or "exists()"
	want string
	met  func(ref.Val) bool
}

// check returns a value that meets the demand, and a fault otherwise.
func (d *demand) check(id int64, value ref.Val) ref.Val {
	if types.IsUnknownOrError(value) {
		return types.LabelErrNode(id, value)
	}
	if d.met(value) {
		return value
	}
	message := fmt.Sprintf("%s needs %s, but %s is %s", d.by, d.want, d.path, withArticle(value))
	if hint := d.hint(value); hint != "" {
		message += ": " + hint
	}
	return failed(id, "%s", message)
}

// hint says what to write for a value that does not meet the demand, or returns "".
func (d *demand) hint(value ref.Val) string {
	if value == types.NullValue || d.want == aBool {
		return compareInstead(d.path, resultType(value))
	}
	return ""
}

// aBool is what operators of logic and loops need.
const aBool = "a bool"

// demanding is a part of an expression that a demand is about.
type demanding struct {
	interpreter.InterpretableV2
	wanted *demand
}

// Exec implements cel-go's InterpretableV2.
func (d *demanding) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	return d.wanted.check(d.ID(), d.InterpretableV2.Exec(frame))
}

// Eval implements cel-go's Interpretable.
func (d *demanding) Eval(vars interpreter.Activation) ref.Val {
	return interpreter.EvalActivation(vars, d.Exec)
}

func isBool(v ref.Val) bool     { _, ok := v.(types.Bool); return ok }
func isOptional(v ref.Val) bool { _, ok := v.(*types.Optional); return ok }

func isKey(v ref.Val) bool {
	switch v.(type) {
	case types.String, types.Int, types.Uint, types.Double, types.Bool:
		return true
	default:
		return false
	}
}

func isIterable(v ref.Val) bool {
	switch v.(type) {
	case traits.Lister, traits.Mapper:
		return true
	default:
		return false
	}
}

// demands finds the demands on the parts of an expression, by their IDs.
type demands struct {
	tree  *celgo.Ast
	found map[int64]*demand
}

func demandsOn(tree *celgo.Ast) map[int64]*demand {
	d := demands{tree: tree, found: map[int64]*demand{}}
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(d.visit))
	return d.found
}

func (d *demands) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.CallKind:
		d.visitCall(e.AsCall(), "")
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			d.visitKey(entry.AsMapEntry().Key())
		}
	case ast.ComprehensionKind:
		loop := e.AsComprehension()
		name := "the loop"
		if original, ok := d.tree.NativeRep().SourceInfo().GetMacroCall(e.ID()); ok && original.Kind() == ast.CallKind {
			name = original.AsCall().FunctionName() + "()"
		}
		d.add(loop.IterRange(), name, "a list or a map", isIterable)
		if step := loop.LoopStep(); step.Kind() == ast.CallKind {
			d.visitCall(step.AsCall(), name)
		}
	}
}

// visitCall adds the demands of a call. loop is the name of the loop that the call is
// the step of, or "".
func (d *demands) visitCall(call ast.CallExpr, loop string) {
	by := loop
	if by == "" {
		by = callName(call.FunctionName())
	}
	switch call.FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr:
		for _, arg := range call.Args() {
			d.add(arg, by, aBool, isBool)
		}
	case operators.Conditional:
		d.add(call.Args()[0], by, aBool, isBool)
	case "or", "orValue":
		if call.IsMemberFunction() {
			d.add(call.Target(), call.FunctionName()+"()", "an optional value, such as json.?field", isOptional)
		}
	}
}

// visitKey demands a key that can be the key of a Go map.
func (d *demands) visitKey(key ast.Expr) {
	switch t := d.tree.NativeRep().GetType(key.ID()); t.Kind() {
	case types.DynKind, types.BytesKind, types.ListKind, types.MapKind:
		d.found[key.ID()] = &demand{shown(key), "the key of a map", "to be a text, a number or a bool", isKey}
	}
}

// add adds a demand on an expression that may have any type. The first one stays: it is
// that of the loop.
func (d *demands) add(e ast.Expr, by, want string, met func(ref.Val) bool) {
	if t := d.tree.NativeRep().GetType(e.ID()); t == nil || !t.IsExactType(celgo.DynType) || d.found[e.ID()] != nil {
		return
	}
	d.found[e.ID()] = &demand{shown(e), by, want, met}
}
