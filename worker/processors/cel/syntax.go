package cel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
)

// otherOperators are words and signs of other languages, and what to write instead.
var otherOperators = map[string]string{
	"=": "== compares", "===": "== compares", "!==": "!= compares", "&": "&& is the operator", "|": "|| is the operator",
	"and": "&& is the operator", "AND": "&& is the operator", "or": "|| is the operator", "OR": "|| is the operator",
	"not": "! is the operator", "is": "== compares", "like": "matches() takes a regular expression", "LIKE": "matches() takes a regular expression",
	"then": "a condition is CONDITION ? VALUE : OTHER", "else": "a condition is CONDITION ? VALUE : OTHER",
	"if": "a condition is CONDITION ? VALUE : OTHER", "for": "a loop is LIST.map(x, ...), and the reference has others",
	"let": "cel.bind(NAME, VALUE, EXPRESSION) gives a value a name", "var": "cel.bind(NAME, VALUE, EXPRESSION) gives a value a name",
	"return": "an expression is its result", "=>": "a loop is LIST.map(x, ...), and the reference has others",
	";":  "an expression has one result, and cel.bind(NAME, VALUE, EXPRESSION) gives a value a name",
	"?:": "an optional field is json.?field.orValue(OTHER)", "..": "OBJECT.merge(OTHER) has the members of both",
	"??": "an optional field is json.?field.orValue(OTHER)", "$": "json is the record's value, so write json.field",
}

var (
	syntaxAtEnd  = regexp.MustCompile(`input '<EOF>'`)
	syntaxOpen   = regexp.MustCompile(`^Syntax error: missing '(.*)' at '<EOF>'$`)
	syntaxWord   = regexp.MustCompile(`^Syntax error: (?:mismatched|extraneous|no viable alternative at) input '(.*)'`)
	syntaxToken  = regexp.MustCompile(`(?s)^Syntax error: token recognition error at: '(.*)'$`)
	reservedWord = regexp.MustCompile(`^reserved identifier: (\w+)$`)
)

// explainSyntax replaces the parser's messages by ones that say what to write. Messages that
// follow a mistake which is understood are consequences of it, so they are left out.
func explainSyntax(source common.Source, mistakes []*common.Error) []*common.Error {
	for i, m := range mistakes {
		before, rest := around(source, m.Location)
		text, understood := explainedSyntax(before, rest, m.Message)
		m.Message = text
		if understood {
			return mistakes[:i+1]
		}
	}
	return mistakes
}

func explainedSyntax(before, rest, message string) (text string, understood bool) {
	if syntaxAtEnd.MatchString(message) {
		return "the expression ends too early", false
	}
	if open := syntaxOpen.FindStringSubmatch(message); open != nil {
		return fmt.Sprintf("the expression ends too early: a %s is missing", open[1]), true
	}
	if strings.HasSuffix(message, "invalid int literal") {
		return "the number does not fit into an int: write a u after it, as in 18446744073709551615u, or write it with a decimal point", true
	}
	word := ""
	for _, pattern := range []*regexp.Regexp{syntaxWord, syntaxToken, reservedWord} {
		if parts := pattern.FindStringSubmatch(message); parts != nil {
			word = strings.TrimSpace(parts[1])
			break
		}
	}
	switch {
	case word != "" && strings.ContainsAny(word[:1], `'"`) && !strings.HasPrefix(rest, `"""`):
		if escape := wrongEscape(rest); escape != "" {
			return fmt.Sprintf(`%s is no escape: write \%[1]s, or put an r before the text, such as r"%[1]s"`, escape), true
		}
		return fmt.Sprintf("the text that begins with %s has no closing quote", quotedStart(word)), true
	case strings.HasPrefix(rest, "?"):
		word = "??" // its second question mark
	case strings.HasPrefix(rest, ":") && strings.HasSuffix(before, "?"):
		word = "?:"
	case word == "=" && strings.HasSuffix(before, "=="):
		word = "==="
	case lastWord(before) == "not":
		word = "not" // it is a name to the parser, which fails at the next one
	}
	if instead, known := otherOperators[word]; known {
		return fmt.Sprintf("%s is no part of the language: %s", word, instead), true
	}
	if at := strings.Index(message, " expecting "); at >= 0 {
		message = message[:at]
	}
	return message, false
}

// wrongEscape returns the first backslash in a text, with the character after it, that the
// language has no meaning for, or "". Without one the text has no end.
func wrongEscape(text string) string {
	if text == "" {
		return ""
	}
	quote, runes := text[:1], []rune(text)
	for i := 1; i+1 < len(runes); i++ {
		switch {
		case string(runes[i]) == quote:
			return ""
		case runes[i] == '\\' && !strings.ContainsRune("abfnrtv\\?\"'`xXuU0123", runes[i+1]):
			return string(runes[i : i+2])
		case runes[i] == '\\':
			i++
		}
	}
	return ""
}

func lastWord(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// around returns the two parts of a line, before a place and from there on.
func around(source common.Source, at common.Location) (before, rest string) {
	lines := strings.Split(source.Content(), "\n")
	if at.Line() < 1 || at.Line() > len(lines) {
		return "", ""
	}
	line := []rune(lines[at.Line()-1])
	column := min(max(at.Column(), 0), len(line))
	return string(line[:column]), string(line[column:])
}

// byPlace sorts mistakes by their places.
func byPlace(mistakes []*common.Error) []*common.Error {
	slices.SortStableFunc(mistakes, func(a, b *common.Error) int {
		if a.Location.Line() != b.Location.Line() {
			return a.Location.Line() - b.Location.Line()
		}
		return a.Location.Column() - b.Location.Column()
	})
	return mistakes
}
