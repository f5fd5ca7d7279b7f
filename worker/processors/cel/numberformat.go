package cel

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

func numberFunctions() []celgo.EnvOption {
	return []celgo.EnvOption{declare("number.format",
		global("number_format", celgo.StringType, celgo.DynType, celgo.IntType),
		global("number_format_separator", celgo.StringType, celgo.DynType, celgo.IntType, celgo.StringType))}
}

// maxDecimals bounds the digits after the point. A double has no more than some 1,000.
const maxDecimals = 1000

// formatNumber returns a number with a number of decimals, and maybe with a text between
// thousands. It rounds the digits that people read, halves away from zero: 1.005 becomes
// 1.01, though its double is a little less.
func formatNumber(m meter, args []ref.Val) ref.Val {
	digits, err := m.vars.digitsOf(args[0])
	decimals, ok := args[1].(types.Int)
	switch {
	case err != nil:
		return types.WrapErr(err)
	case digits == "" || !ok:
		return mismatched()
	case decimals < 0 || decimals > maxDecimals:
		return types.NewErr("%d decimals: a number may have 0 to %d", decimals, maxDecimals)
	}
	number, ok := new(big.Rat).SetString(digits)
	if !ok {
		return types.NewErr("the number %s has no digits", digits)
	}
	m.charge(100)
	text := number.FloatString(int(decimals))
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	if len(args) == 3 {
		separator, ok := args[2].(types.String)
		if !ok {
			return mismatched()
		}
		m.charge(saturatingMul(uint64(len(text)), textCost(len(separator))))
		text = grouped(text, string(separator))
	}
	return types.String(text)
}

// digitsOf returns the digits of a number as in the record's JSON, or "" for another
// value.
func (v *variables) digitsOf(value ref.Val) (string, error) {
	switch n := value.(type) {
	case types.Int, types.Uint:
		return fmt.Sprint(n.Value()), nil
	case types.Double:
		if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
			return "", fmt.Errorf("%v has no digits", float64(n))
		}
		text, err := v.results.notes.double(n)
		if text == "" {
			text = strconv.FormatFloat(float64(n), 'f', -1, 64)
		}
		return text, err
	default:
		return "", nil
	}
}

// grouped puts a separator between the thousands of a number.
func grouped(number, separator string) string {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	digits := strings.TrimPrefix(whole, "-")
	var out strings.Builder
	if len(digits) < len(whole) {
		out.WriteByte('-')
	}
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteString(separator)
		}
		out.WriteByte(digits[i])
	}
	if hasFraction {
		out.WriteString("." + fraction)
	}
	return out.String()
}
