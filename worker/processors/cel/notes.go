package cel

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// notes holds the details of a record's JSON that the values in CEL can't represent.
type notes struct {
	// repeat is the name of the first member that an object has twice, and repeatAt
	// its position: 0 if there is none. The object keeps the last of the two.
	repeat   string
	repeatAt int
	// digits holds the texts of the numbers that a double can't represent, by the bits
	// of the nearest double; nil if there are none.
	digits map[uint64]digits
}

// digits holds the text of a number, and the text of another number with the same
// double, if there is one.
type digits struct{ text, other string }

// repeated notes that an object has a member twice.
func (n *notes) repeated(name string, at int) {
	if n.repeatAt == 0 {
		n.repeat, n.repeatAt = name, at
	}
}

// whole returns an error if the parsed JSON can't be written unchanged.
func (n *notes) whole() error {
	if n != nil && n.repeatAt > 0 {
		return fmt.Errorf("json: the member %q at byte %d occurs twice in its object, but only the last one could be written: "+
			"use value, or name the members to write", n.repeat, n.repeatAt)
	}
	return nil
}

// addNumbers notes the numbers that would change when written as doubles. parsed is all
// of the JSON.
func (n *notes) addNumbers(long []string, parsed any) {
	for _, text := range long {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue // an expression that uses the number fails
		}
		shortest := strconv.FormatFloat(f, 'f', -1, 64)
		if shortest == text || sameNumber(shortest, text) {
			continue
		}
		if n.digits == nil {
			n.digits = make(map[uint64]digits)
		}
		if _, known := n.digits[math.Float64bits(f)]; !known {
			n.digits[math.Float64bits(f)] = digits{text: text}
		}
	}
	if n.digits != nil {
		n.addOthers(parsed)
	}
}

// addOthers notes the numbers that have the same double as a noted one.
func (n *notes) addOthers(parsed any) {
	switch v := parsed.(type) {
	case map[string]any:
		for _, member := range v {
			n.addOthers(member)
		}
	case []any:
		for _, element := range v {
			n.addOthers(element)
		}
	case json.Number:
		f, err := v.Float64()
		d, known := n.digits[math.Float64bits(f)]
		if whole := strings.TrimLeft(string(v), "-0123456789") == ""; err == nil && known && !whole && d.text != string(v) {
			d.other = string(v)
			n.digits[math.Float64bits(f)] = d
		}
	}
}

func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

// double returns the text of the JSON number that a double represents, or "" if the
// double is exact.
func (n *notes) double(f types.Double) (string, error) {
	if n == nil || n.digits == nil {
		return "", nil
	}
	d := n.digits[math.Float64bits(float64(f))]
	if d.other != "" {
		return "", fmt.Errorf("json: the numbers %s and %s are equal in an expression: write them as strings", d.text, d.other)
	}
	return d.text, nil
}

// compare compares two numbers by the digits that they have in JSON or, if they are
// constants, in the expression. It returns false if neither is a number of JSON that a
// double can't represent.
func (n *notes) compare(written [2]string, a, b ref.Val) (order int, ok bool, err error) {
	if n.digits == nil {
		return 0, false, nil
	}
	var numbers [2]*big.Rat
	for i, v := range []ref.Val{a, b} {
		text := written[i]
		if f, isDouble := v.(types.Double); isDouble && text == "" {
			if text, err = n.double(f); err != nil {
				return 0, false, err
			}
			ok = ok || text != ""
		}
		if text == "" {
			text = fmt.Sprint(v.Value())
		}
		number, valid := new(big.Rat).SetString(text)
		if !valid {
			return 0, false, nil
		}
		numbers[i] = number
	}
	return numbers[0].Cmp(numbers[1]), ok, nil
}
