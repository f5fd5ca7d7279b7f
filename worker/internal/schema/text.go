package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText bounds what an error quotes.
const maxText = 400

// oneLine returns a text without line breaks, of a bounded length.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

// appendJSON appends the JSON text of a value.
func appendJSON(dst []byte, v any) ([]byte, error) {
	w := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return dst, err
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}

// parseJSON returns the value of a JSON text, with numbers as json.Number.
func parseJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty")
		}
		return nil, errors.New("it is not JSON: " + err.Error())
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is not JSON: there is more than one value")
	}
	if mayHaveExponent(text) {
		if err := checkExponents(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// maxExponent bounds the exponents of numbers, with which the libraries of schemas would compute
// in all their digits.
const maxExponent = maxDigits

// mayHaveExponent returns false for a JSON text whose numbers have no exponents.
func mayHaveExponent(text []byte) bool {
	for i := 1; i < len(text); i++ {
		if text[i]|0x20 == 'e' && '0' <= text[i-1] && text[i-1] <= '9' {
			return true
		}
	}
	return false
}

// checkExponents refuses numbers with a large exponent in a value that parseJSON has decoded.
func checkExponents(v any) error {
	switch v := v.(type) {
	case json.Number:
		if _, exponent, ok := strings.Cut(strings.ToLower(v.String()), "e"); ok {
			if n, err := strconv.Atoi(exponent); err != nil || n > maxExponent || n < -maxExponent {
				return fmt.Errorf("the number %s has an exponent that is not from -%d to %d", oneLine(v.String()), maxExponent, maxExponent)
			}
		}
	case []any:
		for _, element := range v {
			if err := checkExponents(element); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, member := range v {
			if err := checkExponents(member); err != nil {
				return err
			}
		}
	}
	return nil
}
