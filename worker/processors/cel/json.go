package cel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// parseJSON parses a record's value. The result does not refer to value, and numbers
// keep their digits.
func parseJSON(value []byte) (any, notes, error) {
	if !utf8.Valid(value) {
		return nil, notes{}, errors.New("json: the value is not JSON: it is not UTF-8")
	}
	parsed, n, err := parseText(string(value))
	if errors.Is(err, errSyntax) {
		err = syntaxError(value)
	}
	return parsed, n, err
}

// syntaxError says why a value is not JSON, in most cases in the words of package
// encoding/json.
func syntaxError(value []byte) error {
	start := strings.TrimLeft(string(value), " \t\r\n")
	if start == "" {
		return errors.New(`json: the value is not JSON: it is empty: test value != "" first`)
	}
	if first, _ := utf8.DecodeRuneInString(start); !strings.ContainsRune(`{["-0123456789tfn`, first) {
		return fmt.Errorf("json: the value is not JSON: it begins with %q, as no JSON does: the variable value is its text", first)
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	var parsed any
	if err := d.Decode(&parsed); err != nil {
		return notJSON(value, err)
	}
	rest := bytes.TrimLeft(value[d.InputOffset():], " \t\r\n")
	return fmt.Errorf("json: the value is not JSON: there is more at byte %d, after its end", len(value)-len(rest))
}

func notJSON(value []byte, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("json: the value is not JSON: it ends too early, at byte %d", len(value))
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		if at := syntax.Offset - 1; at >= 0 && at < int64(len(value)) && value[at] == '\'' {
			return fmt.Errorf("json: the value is not JSON: texts and names have double quotes, and there is a single one at byte %d", at)
		}
		// The error's offset is that of the byte after the wrong one.
		return fmt.Errorf("json: the value is not JSON: %w, at byte %d", err, syntax.Offset-1)
	}
	return fmt.Errorf("json: the value is not JSON: %w", err)
}

// adapter turns parsed JSON into CEL's values, each when an expression uses it.
type adapter struct{}

var _ types.Adapter = adapter{}

// NativeToValue implements types.Adapter.
func (a adapter) NativeToValue(value any) ref.Val {
	switch v := value.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		return types.NewStringInterfaceMap(a, v)
	case []any:
		return types.NewList(a, v)
	default:
		return types.DefaultTypeAdapter.NativeToValue(value)
	}
}

// number returns an int or a uint if n is written as a whole number, and a double
// otherwise. A number that none of them can represent is an error, so that two numbers
// never become one.
func number(n json.Number) ref.Val {
	if i, err := n.Int64(); err == nil {
		return types.Int(i)
	}
	if strings.TrimLeft(string(n), "-0123456789") == "" {
		u, err := strconv.ParseUint(string(n), 10, 64)
		if err != nil {
			return types.NewErr("json: the number %s does not fit into 64 bits: write it as a string, or use the object or list that contains it", n)
		}
		return types.Uint(u)
	}
	f, err := n.Float64()
	if err != nil {
		return types.NewErr("json: the number %s is too large for a double", n)
	}
	if mantissa, _, _ := strings.Cut(strings.ToLower(string(n)), "e"); f == 0 && strings.ContainsAny(mantissa, "123456789") {
		return types.NewErr("json: the number %s is too small for a double", n)
	}
	return types.Double(f)
}
