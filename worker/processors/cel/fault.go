package cel

import (
	"errors"
	"fmt"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// fault is an error of an evaluation, as people read it, and the part of the expression
// that it is about. cel-go's own errors name no types and no fields.
type fault struct {
	id      int64
	message string
}

func (f *fault) Error() string { return f.message }

// failed returns a fault as the result of a part of an expression.
func failed(id int64, format string, args ...any) ref.Val {
	return types.WrapErr(&fault{id, fmt.Sprintf(format, args...)})
}

// isFault reports whether an error says already what its reader has to know.
func isFault(err error) bool {
	_, ok := errors.AsType[*fault](err)
	return ok
}

// describe returns the place in the expression that an error is about, such as ":2:15",
// and the error's message. The place is "" if it is not known.
func describe(tree *celgo.Ast, err error) (place, message string) {
	if f, ok := errors.AsType[*fault](err); ok {
		return placeOf(tree, f.id), f.message
	}
	if e, ok := errors.AsType[*types.Err](err); ok {
		return placeOf(tree, e.NodeID()), e.Error()
	}
	return "", err.Error()
}

func placeOf(tree *celgo.Ast, id int64) string {
	at := tree.NativeRep().SourceInfo().GetStartLocation(id)
	if at == common.NoLocation {
		return ""
	}
	return fmt.Sprintf(":%d:%d", at.Line(), at.Column()+1)
}
