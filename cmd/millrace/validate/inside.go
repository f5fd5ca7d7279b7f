package validate

import (
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// inside returns the place in the file of a character of a scalar, given by its line and
// column in the scalar's text. YAML may fold, indent and escape the text, but changes only
// blanks and escapes: so the place is found by counting all other characters.
func (d *document) inside(node *yaml.Node, line, column int) (int, int) {
	node = dereferenced(node)
	count, blank := visibleBefore(node.Value, line, column)
	s := scanner{lines: d.lines}
	s.begin(node)
	for range count {
		s.skipBlanks()
		s.skip()
	}
	if !blank {
		s.skipBlanks()
	}
	return s.line + 1, s.column + 1
}

// visibleBefore counts the visible characters before a place in a text, and reports
// whether the place itself has none.
func visibleBefore(text string, line, column int) (count int, blank bool) {
	lines := strings.Split(text, "\n")
	line = min(max(line, 1), len(lines))
	for _, l := range lines[:line-1] {
		count += visible(l)
	}
	last := []rune(lines[line-1])
	column = min(max(column, 1), len(last)+1)
	count += visible(string(last[:column-1]))
	return count, column > len(last) || unicode.IsSpace(last[column-1])
}

func visible(text string) (count int) {
	for _, r := range text {
		if !unicode.IsSpace(r) {
			count++
		}
	}
	return count
}

// scanner walks over the characters of a scalar in the file.
type scanner struct {
	lines        []string
	line, column int    // from 0; the column counts characters
	text         []rune // the line
	quote        rune   // 0 for none
}

func (s *scanner) moveTo(line, column int) {
	s.line, s.column, s.text = line, column, nil
	if line < len(s.lines) {
		s.text = []rune(s.lines[line])
	}
}

// begin moves to the first character of the text.
func (s *scanner) begin(node *yaml.Node) {
	s.moveTo(node.Line-1, node.Column-1)
	for r := s.peek(); r == '&' || r == '!'; r = s.peek() { // an anchor or a tag
		for r := s.peek(); r != 0 && !unicode.IsSpace(r); r = s.peek() {
			s.column++
		}
		s.skipBlanks()
	}
	switch {
	case node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		s.moveTo(s.line+1, 0)
	case node.Style&yaml.DoubleQuotedStyle != 0:
		s.quote, s.column = '"', s.column+1
	case node.Style&yaml.SingleQuotedStyle != 0:
		s.quote, s.column = '\'', s.column+1
	}
}

// peek returns the next character of the line, or 0 at its end.
func (s *scanner) peek() rune {
	if s.column >= len(s.text) {
		return 0
	}
	return s.text[s.column]
}

// skipBlanks moves to the next visible character, or to the end of the file.
func (s *scanner) skipBlanks() {
	for s.line < len(s.lines) {
		size, r := s.character()
		switch {
		case size == 0:
			s.moveTo(s.line+1, 0)
		case unicode.IsSpace(r):
			s.column += size
		default:
			return
		}
	}
}

// skip moves past a visible character.
func (s *scanner) skip() {
	size, _ := s.character()
	s.column += size
}

// escapes are the blanks that a backslash and a letter stand for.
var escapes = map[rune]rune{'n': '\n', 'r': '\r', 't': '\t', '\t': '\t', ' ': ' ', 'v': '\v', 'f': '\f', 'N': '\u0085', '_': '\u00a0', 'L': '\u2028', 'P': '\u2029'}

// character returns the next character of the scalar, and how many characters of the line
// stand for it. At the end of the line there are none.
func (s *scanner) character() (size int, r rune) {
	rest := s.text[min(s.column, len(s.text)):]
	switch {
	case len(rest) == 0:
		return 0, 0
	case s.quote == '\'' && len(rest) > 1 && rest[0] == '\'' && rest[1] == '\'':
		return 2, '\''
	case s.quote != '"' || rest[0] != '\\':
		return 1, rest[0]
	case len(rest) == 1 || len(rest) == 2 && rest[1] == '\r':
		return 0, 0 // the backslash joins the lines
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if digits > 0 && len(rest) >= 2+digits {
		code, _ := strconv.ParseUint(string(rest[2:2+digits]), 16, 32) // the parser has accepted it
		return 2 + digits, rune(code)
	}
	if blank, ok := escapes[rest[1]]; ok {
		return 2, blank
	}
	return 2, rest[1]
}
