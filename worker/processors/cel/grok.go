package cel

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/common/types/ref"
)

// grokPatterns are the patterns that grok knows by a name. Those that contain others are
// below them.
var grokPatterns = map[string]string{
	"WORD":       `\w+`,
	"NOTSPACE":   `\S+`,
	"SPACE":      `\s*`,
	"DATA":       `.*?`,
	"GREEDYDATA": `.*`,
	"INT":        `[+-]?[0-9]+`,
	"POSINT":     `[0-9]+`,
	"NUMBER":     `[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)`,
	"HEX":        `[0-9A-Fa-f]+`,
	"UUID":       `[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}`,
	"INQUOTES":   `(?:[^"\\]|\\.)*`,
	"LOGLEVEL":   `(?i:trace|debug|info(?:rmation)?|notice|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|emerg(?:ency)?|alert)`,

	"USER":     `[a-zA-Z0-9._@-]+`,
	"IPV4":     `(?:[0-9]{1,3}\.){3}[0-9]{1,3}`,
	"IPV6":     `[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*`,
	"HOSTNAME": `[0-9A-Za-z_](?:[0-9A-Za-z_.-]*[0-9A-Za-z_])?`,
	"IP":       `(?:%{IPV6}|%{IPV4})`,
	"HOST":     `(?:%{IP}|%{HOSTNAME})`,
	"HOSTPORT": `%{HOST}:%{POSINT}`,
	"PATH":     `/[^\s?#]*`,
	"URI":      `[A-Za-z][A-Za-z0-9+.-]*://\S+`,

	"YEAR":     `[0-9]{4}`,
	"MONTH":    `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*`,
	"MONTHNUM": `(?:0?[1-9]|1[0-2])`,
	"MONTHDAY": `(?:0[1-9]|[12][0-9]|3[01]|[1-9])`,
	"DAY":      `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*`,
	"TIME":     `[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?`,
	"ISO8601":  `%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{TIME}(?:Z|[+-][0-9]{2}:?[0-9]{2})?`,
	"HTTPDATE": `%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} [+-][0-9]{4}`,

	"SYSLOGTIME": `%{MONTH} +%{MONTHDAY} %{TIME}`,
	"SYSLOG": `(?:<%{POSINT:priority:int}>)?%{SYSLOGTIME:timestamp} %{HOST:host} ` +
		`%{SYSLOGPROGRAM:program}(?:\[%{POSINT:pid:int}\])?: %{GREEDYDATA:message}`,
	"SYSLOGPROGRAM": `[^\s\[\]:]+`,
	"COMMONLOG": `%{HOST:client} %{NOTSPACE:ident} %{NOTSPACE:user} \[%{HTTPDATE:timestamp}\] ` +
		`"(?:%{WORD:method} %{NOTSPACE:path}(?: HTTP/%{NUMBER:version})?|%{INQUOTES:request})" %{POSINT:status:int} (?:%{POSINT:bytes:int}|-)`,
	"COMBINEDLOG": `%{COMMONLOG} "%{INQUOTES:referrer}" "%{INQUOTES:agent}"`,
}

var grokReference = regexp.MustCompile(`%\{(\w+)(?::([^:}]+))?(?::(\w+))?\}`)

// maxGrok bounds a pattern whose references are replaced, and with it the memory of its
// compiled form.
const maxGrok = 1 << 16

// compileGrok compiles a pattern with references such as %{NUMBER:status:int}: the name of
// a known pattern, the name of the result's member, and the type of that.
func compileGrok(pattern string) (*capture, error) {
	g := grokExpansion{capture: &capture{}}
	expanded, err := g.expand(pattern, 0)
	if err != nil {
		return nil, err
	}
	if at := strings.Index(expanded, "%{"); at >= 0 {
		return nil, fmt.Errorf("%s is no reference to a pattern: write %%{NAME}, %%{NAME:field} or %%{NAME:field:int}, and %%\\{ for the characters themselves", quotedStart(expanded[at:]))
	}
	re, err := compileRegexp(expanded)
	if err != nil {
		return nil, err
	}
	g.Regexp = re
	g.nameGroups()
	return g.capture, nil
}

// grokExpansion is a pattern whose references are being replaced. A field becomes a group
// with a name that leads to it, since the names of fields may have any characters.
type grokExpansion struct {
	*capture
	fields []grokField
}

type grokField struct {
	name    string
	convert func(string) ref.Val
}

var grokTypes = map[string]func(string) ref.Val{"": toText, "text": toText, "int": toInt, "float": toFloat}

const grokGroup = "field_"

func (g *grokExpansion) expand(pattern string, size int) (string, error) {
	var out strings.Builder
	last := 0
	for _, at := range grokReference.FindAllStringSubmatchIndex(pattern, -1) {
		out.WriteString(pattern[last:at[0]])
		last = at[1]
		reference, err := g.reference(group(pattern, at, 1), group(pattern, at, 2), group(pattern, at, 3), size+out.Len())
		if err != nil {
			return "", err
		}
		out.WriteString(reference)
	}
	out.WriteString(pattern[last:])
	if size+out.Len() > maxGrok {
		return "", fmt.Errorf("the pattern is longer than %d characters", maxGrok)
	}
	return out.String(), nil
}

// group returns the text of a group, or "" if it is not part of the match.
func group(text string, match []int, n int) string {
	if match[2*n] < 0 {
		return ""
	}
	return text[match[2*n]:match[2*n+1]]
}

func (g *grokExpansion) reference(name, field, kind string, size int) (string, error) {
	known, ok := grokPatterns[name]
	if !ok {
		return "", fmt.Errorf("there is no pattern %%{%s}: the reference lists the names; write any other pattern as a regular expression, such as (?P<id>[a-z]+)", name)
	}
	convert, ok := grokTypes[kind]
	if !ok {
		return "", fmt.Errorf("%%{%s:%s:%s}: a field's type is int, float or text", name, field, kind)
	}
	prefix := "(?:"
	if field != "" {
		prefix = fmt.Sprintf("(?P<%s%d>", grokGroup, len(g.fields))
		g.fields = append(g.fields, grokField{field, convert})
	}
	expanded, err := g.expand(known, size)
	return prefix + expanded + ")", err
}

// nameGroups gives the groups the names of their fields. Groups that the pattern's author
// has named keep theirs.
func (g *grokExpansion) nameGroups() {
	for _, name := range g.SubexpNames() {
		field := grokField{name, toText}
		var n int
		if _, err := fmt.Sscanf(name, grokGroup+"%d", &n); err == nil && n < len(g.fields) {
			field = g.fields[n]
		}
		g.names = append(g.names, field.name)
		g.convert = append(g.convert, field.convert)
	}
}
