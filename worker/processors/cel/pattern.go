package cel

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	celgo "cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// patternFunctions declares the functions that take texts such as log lines apart.
func patternFunctions() []celgo.EnvOption {
	text := celgo.StringType
	return []celgo.EnvOption{
		declare("regex.captures", global("regex_captures", celgo.OptionalType(celgo.MapType(text, text)), text, text)),
		declare("grok", global("grok", celgo.OptionalType(objectType), text, text)),
		declare("keyValues", global("key_values", celgo.MapType(text, text), text)),
	}
}

// capture is a regular expression with named groups. A group's value may be converted.
type capture struct {
	*regexp.Regexp
	names   []string // of the groups; "" for none
	convert []func(string) ref.Val
}

func toText(text string) ref.Val { return types.String(text) }

// compileCaptures compiles the pattern of regex.captures.
func compileCaptures(pattern string) (*capture, error) {
	re, err := compileRegexp(pattern)
	if err != nil {
		return nil, err
	}
	c := &capture{Regexp: re, names: re.SubexpNames()}
	if strings.Join(c.names, "") == "" {
		return nil, errors.New(`the pattern has no group with a name: write (?P<NAME>...) around each part to return`)
	}
	for range c.names {
		c.convert = append(c.convert, toText)
	}
	return c, nil
}

// find returns the groups of the first match by their names, or none without a match.
func (c *capture) find(text string) ref.Val {
	match := c.FindStringSubmatchIndex(text)
	if match == nil {
		return types.OptionalNone
	}
	members := make(map[string]any, len(c.names))
	for i, name := range c.names {
		if start := match[2*i]; name != "" && start >= 0 {
			members[name] = c.convert[i](text[start:match[2*i+1]])
		}
	}
	return types.OptionalOf(newObject(members))
}

func planCaptures(nodes []interpreter.InterpretableV2) runner {
	return planCapture(nodes, compileCaptures)
}

func planGrok(nodes []interpreter.InterpretableV2) runner { return planCapture(nodes, compileGrok) }

// planCapture returns a runner for a function with a text and a pattern. It compiles a
// constant pattern once.
func planCapture(nodes []interpreter.InterpretableV2, compile func(string) (*capture, error)) runner {
	prepare := func(m meter, pattern string) (*capture, error) {
		m.charge(10 * uint64(len(pattern)))
		c, err := compile(pattern)
		if err == nil {
			m.charge(10 * uint64(len(c.String()))) // a grok pattern grows when it is expanded
		}
		return c, err
	}
	if pattern, ok := constantText(nodes[1]); ok {
		c, err := compile(pattern)
		prepare = func(meter, string) (*capture, error) { return c, err }
	}
	return func(m meter, args []ref.Val) ref.Val {
		text, isText := args[0].(types.String)
		pattern, isPattern := args[1].(types.String)
		if !isText || !isPattern {
			return mismatched()
		}
		c, err := prepare(m, string(pattern))
		if err != nil {
			return types.WrapErr(err)
		}
		m.charge(scanCost(c.Regexp, text))
		return c.find(string(text))
	}
}

// toInt and toFloat return the number that a text is, or the text if it is none.
func toInt(text string) ref.Val {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return types.Int(n)
	}
	return types.String(text)
}

func toFloat(text string) ref.Val {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return types.Double(f)
	}
	return types.String(text)
}

// keyValues returns the pairs of a text such as level=info msg="a b". Words without an
// equals sign are left out; the last one of several pairs with one name stays.
func keyValues(m meter, args []ref.Val) ref.Val {
	text, ok := args[0].(types.String)
	if !ok {
		return mismatched()
	}
	m.charge(4 * textCost(len(text)))
	members := map[string]any{}
	for rest := strings.TrimLeftFunc(string(text), unicode.IsSpace); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		end := strings.IndexFunc(rest, func(r rune) bool { return r == '=' || unicode.IsSpace(r) })
		if end < 0 {
			break
		}
		name, after := rest[:end], rest[end+1:]
		if rest[end] != '=' {
			rest = rest[end:]
			continue
		}
		value, left, err := pairValue(after)
		if err != nil {
			return types.NewErr("the value of %s %s", quotedStart(name), err)
		}
		if name != "" {
			members[name] = value
		}
		rest = left
	}
	return newObject(members)
}

// pairValue returns the value at the beginning of a text, in quotes or up to a blank, and
// the text after it.
func pairValue(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
			return text[:end], text[end:], nil
		}
		return text, "", nil
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return unquoted.String(), text[i+1:], nil
		case text[i] == '\\' && i+1 < len(text):
			i++
			unquoted.WriteString(unescaped(text[i]))
		default:
			unquoted.WriteByte(text[i])
		}
	}
	return "", "", errors.New("has no closing quote")
}

// unescaped returns what a character after a backslash stands for.
func unescaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	default:
		return string([]byte{c})
	}
}
