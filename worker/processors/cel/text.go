package cel

import (
	"bytes"
	"strings"
	"unicode/utf8"
	"unsafe"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// textType is the type that an expression's author sees of key, value and the values of
// headers: text, or null. cel-go's checker then refuses to compare them with anything
// that they can never be equal to.
var textType = celgo.NullableType(celgo.StringType)

func isText(t *celgo.Type) bool {
	return t != nil && t.Kind() == types.StringKind && t.IsAssignableType(types.NullType)
}

// typeName returns the name of a type for an expression's author.
func typeName(t *celgo.Type) string {
	return plainTypes(celgo.FormatCELType(t))
}

// plainTypes replaces cel-go's name of textType.
func plainTypes(message string) string {
	return strings.ReplaceAll(message, "wrapper(string)", "string or null")
}

// textOrNull returns bytes of a record as a value. It is text if the bytes are UTF-8, and
// *binary otherwise. The value shares the record's memory.
func textOrNull(b []byte) ref.Val {
	switch {
	case b == nil:
		return types.NullValue
	case utf8.Valid(b):
		return types.String(unsafe.String(unsafe.SliceData(b), len(b)))
	default:
		return &binary{b}
	}
}

// binary holds bytes of a record that are not UTF-8. A type of its own keeps functions
// that would replace the bytes that are no characters from doing so: they find bytes in
// the place of text, and fail. Unlike types.Bytes, it may be the key of a Go map.
type binary struct{ types.Bytes }

// Equal implements ref.Val.
func (b *binary) Equal(other ref.Val) ref.Val {
	o, ok := rawBytes(other)
	return types.Bool(ok && bytes.Equal(b.Bytes, o))
}

// rawBytes returns the bytes of a text and of bytes, without a copy.
func rawBytes(v ref.Val) ([]byte, bool) {
	switch v := v.(type) {
	case types.String:
		return unsafe.Slice(unsafe.StringData(string(v)), len(v)), true
	case types.Bytes:
		return v, true
	case *binary:
		return v.Bytes, true
	default:
		return nil, false
	}
}

// textRunner returns a runner for the functions that take a key, a value or a header as
// bytes, whatever they hold, or nil for other calls.
func textRunner(tree *celgo.Ast, call interpreter.InterpretableCall) runner {
	args := call.Args()
	if len(args) != 1 {
		return nil
	}
	switch {
	case call.Function() == overloads.TypeConvertBytes && !isConstant(args[0]):
		return toBytes
	case call.Function() == overloads.Size && isText(tree.NativeRep().GetType(args[0].ID())):
		return countBytes
	default:
		return nil
	}
}

func toBytes(m meter, args []ref.Val) ref.Val {
	if raw, ok := rawBytes(args[0]); ok {
		m.charge(textCost(len(raw)))
	}
	return args[0].ConvertToType(types.BytesType)
}

// countBytes returns the size of a key, a value or a header, which is that in Kafka.
func countBytes(_ meter, args []ref.Val) ref.Val {
	raw, ok := rawBytes(args[0])
	if !ok {
		return mismatched()
	}
	return types.Int(len(raw))
}
