package cel

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of lists and objects.
const maxDepth = 10_000

// errSyntax replaces an error that package encoding/json describes better.
var errSyntax = errors.New("not JSON")

// parser parses JSON into the same values as package encoding/json: maps, slices,
// strings, json.Number, bool and nil. It refuses values that package encoding/json would
// change silently, and notes details that writing the values again would lose. Strings
// and numbers share one copy of the text.
type parser struct {
	text  string
	at    int
	depth int
	notes notes
	long  []string // numbers that a double may not hold
}

// parseText parses a whole text. The text must be valid UTF-8.
func parseText(text string) (any, notes, error) {
	p := parser{text: text}
	value, err := p.whole()
	if err != nil {
		return nil, notes{}, err
	}
	p.notes.addNumbers(p.long, value)
	return value, p.notes, nil
}

// whole parses a value after which there is nothing else.
func (p *parser) whole() (any, error) {
	value, err := p.value()
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, errSyntax
	}
	return value, nil
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next skips white space and reports whether c follows. It skips c, too.
func (p *parser) next(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) value() (any, error) {
	p.space()
	if p.at == len(p.text) {
		return nil, errSyntax
	}
	switch c := p.text[p.at]; c {
	case '{':
		return nested(p, p.object)
	case '[':
		return nested(p, p.list)
	case '"':
		return p.string()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		return p.number()
	}
}

func (p *parser) word(w string) error {
	if !strings.HasPrefix(p.text[p.at:], w) {
		return errSyntax
	}
	p.at += len(w)
	return nil
}

func nested[T any](p *parser, read func() (T, error)) (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errSyntax
	}
	p.at++
	value, err := read()
	p.depth--
	return value, err
}

func (p *parser) object() (map[string]any, error) {
	members := make(map[string]any)
	if p.next('}') {
		return members, nil
	}
	for {
		p.space()
		start := p.at
		if start == len(p.text) || p.text[start] != '"' {
			return nil, errSyntax
		}
		name, err := p.string()
		if err != nil {
			return nil, err
		}
		if !p.next(':') {
			return nil, errSyntax
		}
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		n := len(members)
		if members[name] = value; len(members) == n {
			p.notes.repeated(name, start)
		}
		if p.next('}') {
			return members, nil
		}
		if !p.next(',') {
			return nil, errSyntax
		}
	}
}

func (p *parser) list() ([]any, error) {
	elements := []any{}
	if p.next(']') {
		return elements, nil
	}
	for {
		element, err := p.value()
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
		if p.next(']') {
			return elements, nil
		}
		if !p.next(',') {
			return nil, errSyntax
		}
	}
}

func (p *parser) string() (string, error) {
	p.at++
	start := p.at
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[start : p.at-1], nil
		case c == '\\':
			return p.escaped(start)
		case c < ' ':
			return "", errSyntax
		}
	}
	return "", errSyntax
}

// escaped reads the rest of a string that began at start, from its first backslash on.
func (p *parser) escaped(start int) (string, error) {
	out := append(make([]byte, 0, 2*(p.at-start)+16), p.text[start:p.at]...)
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(out), nil
		case c < ' ':
			return "", errSyntax
		case c != '\\':
			out = append(out, c)
			continue
		}
		if p.at == len(p.text) {
			break
		}
		c = p.text[p.at]
		p.at++
		if c == 'u' {
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return "", errSyntax
		}
		out = append(out, "\"\\/\b\f\n\r\t"[i])
	}
	return "", errSyntax
}

// unicode reads the digits of an escaped UTF-16 unit, and for the first half of a
// surrogate pair also the second half. Half a pair is not a character; encoding/json
// would replace it by another character.
func (p *parser) unicode() (rune, error) {
	start := p.at - 2
	unit, ok := p.hex()
	if !ok {
		return 0, errSyntax
	}
	if !utf16.IsSurrogate(unit) {
		return unit, nil
	}
	if strings.HasPrefix(p.text[p.at:], `\u`) {
		p.at += 2
		second, ok := p.hex()
		if !ok {
			return 0, errSyntax
		}
		if r := utf16.DecodeRune(unit, second); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, fmt.Errorf("json: %s at byte %d is half of a surrogate pair and not a character: correct the program that writes it",
		p.text[start:start+6], start)
}

func (p *parser) hex() (rune, bool) {
	if len(p.text)-p.at < 4 {
		return 0, false
	}
	var unit rune
	for range 4 {
		c := p.text[p.at]
		p.at++
		switch {
		case '0' <= c && c <= '9':
			unit = unit<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			unit = unit<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return unit, true
}

func (p *parser) number() (json.Number, error) {
	start := p.at
	if p.text[p.at] == '-' {
		p.at++
	}
	first := p.at
	if !p.digits() || p.text[first] == '0' && p.at > first+1 {
		return "", errSyntax
	}
	whole := true
	if p.at < len(p.text) && p.text[p.at] == '.' {
		whole = false
		if p.at++; !p.digits() {
			return "", errSyntax
		}
	}
	if p.at < len(p.text) && p.text[p.at]|0x20 == 'e' {
		whole = false
		p.at++
		if p.at < len(p.text) && (p.text[p.at] == '+' || p.text[p.at] == '-') {
			p.at++
		}
		if !p.digits() {
			return "", errSyntax
		}
	}
	text := p.text[start:p.at]
	const always = 15 // a double holds any number with so many digits
	if !whole && len(text) > always {
		p.long = append(p.long, text)
	}
	return json.Number(text), nil
}

// digits skips digits and reports whether there were any.
func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > start
}
