package cel

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"cel.dev/cel-go/common/types"
)

// notes hold what a record's JSON contains and its values in CEL can't represent.
type notes struct {
	// repeat is the name of the first member that its object has twice (the last one
	// counts), and repeatAt its position: -1 if there is none, 0 before the first
	// look.
	repeat   string
	repeatAt int
	// digits holds the text of numbers that a double can't represent, by the bits of
	// the double that stands for them; nil if there are none.
	digits map[uint64]digits
}

// digits is the text of a number, and that of another number that becomes the same
// double, if there is one.
type digits struct{ text, other string }

func (n *notes) repeated(name string, at int) {
	if n.repeatAt == 0 {
		n.repeat, n.repeatAt = name, at
	}
}

// whole returns an error if parsed JSON can't be written as it was.
func (n *notes) whole() error {
	if n != nil && n.repeatAt > 0 {
		return fmt.Errorf("json: the member %q at byte %d occurs twice in its object, and only the last could be written: "+
			"use value, or name the members to write", n.repeat, n.repeatAt)
	}
	return nil
}

// addNumbers notes the numbers that would change if they were written as doubles.
func (n *notes) addNumbers(long []string) {
	for _, text := range long {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue // it is an error when an expression looks at it
		}
		shortest := strconv.FormatFloat(f, 'f', -1, 64)
		if shortest == text || sameNumber(shortest, text) {
			continue
		}
		if n.digits == nil {
			n.digits = make(map[uint64]digits)
		}
		d, known := n.digits[math.Float64bits(f)]
		switch {
		case !known:
			d.text = text
		case d.text != text:
			d.other = text
		}
		n.digits[math.Float64bits(f)] = d
	}
}

func sameNumber(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

// double returns the text of the JSON number that a double stands for, "" if the
// double is exact.
func (n *notes) double(f types.Double) (string, error) {
	if n == nil || n.digits == nil {
		return "", nil
	}
	d := n.digits[math.Float64bits(float64(f))]
	if d.other != "" {
		return "", fmt.Errorf("json: the numbers %s and %s are the same to an expression: write them as strings", d.text, d.other)
	}
	return d.text, nil
}
