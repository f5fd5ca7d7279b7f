package cel

import (
	"fmt"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// constantChecks check the second argument of functions where it is a constant text, so
// that a mistake in it shows before the first record. The target of a method is the first.
var constantChecks = map[string]func(text string) error{
	"time.parse":       func(format string) error { _, err := parsingLayout(format); return err },
	"time.format":      func(format string) error { _, err := layoutOf(format); return err },
	"grok":             func(pattern string) error { _, err := compileGrok(pattern); return err },
	"matches":          checkPattern,
	"regex.extract":    checkOneGroup,
	"regex.extractAll": checkOneGroup,
	"regex.replace":    checkPattern,
	"regex.captures":   func(pattern string) error { _, err := compileCaptures(pattern); return err },
	hmacName:           checkKeyName,
}

// wrongConstants returns the mistakes in constant arguments.
func wrongConstants(tree *celgo.Ast) (found []*common.Error) {
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		check := constantChecks[call.FunctionName()]
		operands := operandsOfCall(call)
		if check == nil || len(operands) < 2 {
			return
		}
		text, ok := literalText(operands[1])
		if !ok {
			return
		}
		if err := check(text); err != nil {
			id := operands[1].ID()
			found = append(found, common.NewError(id, err.Error(), tree.NativeRep().SourceInfo().GetStartLocation(id)))
		}
	}))
	return found
}

// repeatedKeys returns the constant keys that an object has twice: its last value would be
// the only one.
func repeatedKeys(tree *celgo.Ast) (found []*common.Error) {
	ast.PreOrderVisit(tree.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.MapKind {
			return
		}
		seen := map[string]bool{}
		for _, entry := range e.AsMap().Entries() {
			key := entry.AsMapEntry().Key()
			name, isText := literalText(key)
			if isText && seen[name] {
				found = append(found, common.NewError(key.ID(), fmt.Sprintf("the object has the key %q twice: remove one", name),
					tree.NativeRep().SourceInfo().GetStartLocation(key.ID())))
			}
			seen[name] = seen[name] || isText
		}
	}))
	return found
}

// literalText returns the text that an expression is, if it is a constant one.
func literalText(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().(types.String)
	return string(text), ok
}
