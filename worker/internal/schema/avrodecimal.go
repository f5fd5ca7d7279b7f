package schema

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/twmb/avro"
)

// decodeDecimal returns a number with all digits that the schema's scale has.
func decodeDecimal(v any, schema *avro.SchemaNode) (any, error) {
	raw, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("a %T in the place of a decimal", v)
	}
	return json.Number(avro.RatFromBytes(raw, schema.Scale).FloatString(schema.Scale)), nil
}

// decodeBigDecimal reads a decimal whose value has the scale: the bytes of the number with
// their length, and the scale.
func decodeBigDecimal(v any, _ *avro.SchemaNode) (any, error) {
	raw, _ := v.([]byte)
	size, n := binary.Varint(raw)
	if n <= 0 || size < 0 || size > int64(len(raw)-n) {
		return nil, errors.New("it is no decimal with a scale")
	}
	digits, raw := raw[n:n+int(size)], raw[n+int(size):]
	scale, n := binary.Varint(raw)
	if n != len(raw) || scale < 0 || scale > maxScale {
		return nil, fmt.Errorf("it is no decimal with a scale from 0 to %d", maxScale)
	}
	return json.Number(avro.RatFromBytes(digits, int(scale)).FloatString(int(scale))), nil
}

// encodeBigDecimal takes what decodeBigDecimal returns, and text.
func encodeBigDecimal(v any, _ *avro.SchemaNode) (any, error) {
	value, err := decimal(v)
	if err != nil {
		return nil, err
	}
	for scale := 0; scale <= maxScale; scale++ {
		if unscaled, whole := scaled(value, scale); whole {
			digits := twosComplement(unscaled)
			encoded := append(binary.AppendVarint(nil, int64(len(digits))), digits...)
			return binary.AppendVarint(encoded, int64(scale)), nil
		}
	}
	return nil, fmt.Errorf("%v has more than %d digits after the point", v, maxScale)
}

// encodeDecimal takes what decodeDecimal returns, and text. It does not round.
func encodeDecimal(v any, schema *avro.SchemaNode) (any, error) {
	value, err := decimal(v)
	if err != nil {
		return nil, err
	}
	unscaled, whole := scaled(value, schema.Scale)
	if !whole {
		return nil, fmt.Errorf("%v has more digits after the point than the schema's %d", v, schema.Scale)
	}
	if digits := len(new(big.Int).Abs(unscaled).String()); digits > schema.Precision {
		return nil, fmt.Errorf("%v has %d digits with those of the scale, and the schema %d", v, digits, schema.Precision)
	}
	digits := twosComplement(unscaled)
	if schema.Type != "fixed" {
		return digits, nil
	}
	if len(digits) > schema.Size {
		return nil, fmt.Errorf("%v does not fit %d bytes", v, schema.Size)
	}
	filler := byte(0)
	if unscaled.Sign() < 0 {
		filler = 0xff
	}
	return append(bytes.Repeat([]byte{filler}, schema.Size-len(digits)), digits...), nil
}

// maxDigits bounds the text of a decimal, whose exponent could ask for any number of digits.
const maxDigits = 2000

// decimal returns the value of a number, or of a text with one.
func decimal(v any) (*big.Rat, error) {
	var text string
	switch n := v.(type) {
	case json.Number:
		text = n.String()
	case string:
		text = n
	default:
		return nil, fmt.Errorf("a %T is no decimal", v)
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok {
		if n, err := strconv.Atoi(exponent); err != nil || n > maxDigits || n < -maxDigits {
			return nil, fmt.Errorf("%q is no decimal with an exponent from -%d to %d", oneLine(text), maxDigits, maxDigits)
		}
	}
	value, ok := new(big.Rat).SetString(text)
	if !ok || len(text) > maxDigits || strings.ContainsAny(text, "/xXpPoObB_") {
		return nil, fmt.Errorf("%q is no decimal", oneLine(text))
	}
	return value, nil
}

// scaled returns a value times ten to the scale, and whether that is whole.
func scaled(value *big.Rat, scale int) (unscaled *big.Int, whole bool) {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
	product := new(big.Rat).Mul(value, new(big.Rat).SetInt(ten))
	return product.Num(), product.IsInt()
}

// twosComplement returns the shortest big-endian form of a number.
func twosComplement(n *big.Int) []byte {
	if n.Sign() >= 0 {
		b := n.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	// -n-1 has the same bytes, each inverted.
	b := new(big.Int).Not(n).Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...)
	}
	for i := range b {
		b[i] = ^b[i]
	}
	return b
}

// maxScale bounds the digits that a few bytes can ask for.
const maxScale = 1000
