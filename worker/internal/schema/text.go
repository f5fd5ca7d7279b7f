package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
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
	return v, nil
}
