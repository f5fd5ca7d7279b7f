package validate

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// nameAndText matches a line with a field and its value.
var nameAndText = regexp.MustCompile(`^(\s*(?:- )?([A-Za-z][\w.-]*):[ ]+)(\S.*?)\s*$`)

// withoutQuotes looks for a text near a line that YAML reads differently than its author,
// because there are no quotes around all of it: expressions often have a colon, a percent
// sign or quotes in them. It returns the text's place and what to write. line is where the
// parser gave up, which may be the line before or after.
func withoutQuotes(text string, line int) (at, column int, problem string, ok bool) {
	lines := strings.Split(text, "\n")
	for _, at := range []int{line, line + 1, line - 1} {
		if at < 1 || at > len(lines) {
			continue
		}
		parts := nameAndText.FindStringSubmatch(lines[at-1])
		if parts == nil || isCollection(parts[3]) {
			continue
		}
		corrected := append([]string(nil), lines...)
		quoted := inQuotes(parts[3])
		corrected[at-1] = parts[1] + quoted
		if failed := unreadableLine(strings.Join(corrected, "\n")); failed > 0 && failed <= max(line, at)+1 {
			continue
		}
		const most = 100
		instead := fmt.Sprintf("write %s: %s", parts[2], quoted)
		if len(quoted) > most {
			instead = "write it in single quotes, and each ' within it twice"
		}
		return at, len([]rune(parts[1])) + 1, fmt.Sprintf("%s needs quotes around all of its text, since YAML reads it differently: %s", parts[2], instead), true
	}
	return 0, 0, "", false
}

// isCollection reports whether a value is written as an object or a list in one line.
func isCollection(text string) bool {
	return strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") || strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]")
}

// unreadableLine returns the line where a text is no YAML, or 0.
func unreadableLine(text string) int {
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text), &node); err != nil {
		line, _ := yamlProblem(err)
		return line
	}
	return 0
}

// inQuotes returns a text in YAML's single quotes, without the quotes that its author may
// have written around it.
func inQuotes(text string) string {
	quote := text[:1]
	if strings.Contains(`"'`, quote) && len(text) > 1 && strings.HasSuffix(text, quote) {
		inner := text[1 : len(text)-1]
		// In "a" == "b" the first and the last quote are no pair.
		if end := regexp.MustCompile(`(^|[^\\])` + quote).FindStringIndex(inner); end == nil || end[1] == len(inner) || !strings.ContainsAny(inner[end[1]:end[1]+1], " .)") {
			text = inner
			if quote == `"` {
				text = strings.ReplaceAll(text, `\"`, `"`)
			}
		}
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// findTags adds a finding for each text that begins with an exclamation mark, which YAML
// takes for the name of a type, and leaves out.
func (d *document) findTags(node *yaml.Node, p path) {
	if tag := d.tagOf(node); tag != "" {
		d.add(node.Line, node.Column, p.String(), fmt.Sprintf("YAML takes %s for the name of a type; write the text in quotes: '%s'",
			tag, strings.TrimSpace(tag+" "+strings.ReplaceAll(node.Value, "'", "''"))))
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			d.findTags(node.Content[i+1], append(p[:len(p):len(p)], node.Content[i].Value))
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			d.findTags(item, append(p[:len(p):len(p)], fmt.Sprintf("[%d]", i)))
		}
	}
}

// tagOf returns the name of a type that YAML has read before a value, or "". The parser says
// nothing about an exclamation mark with a blank behind it.
func (d *document) tagOf(node *yaml.Node) string {
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		return node.Tag
	}
	if node.Kind != yaml.ScalarNode || node.Line < 1 || node.Line > len(d.lines) {
		return ""
	}
	line := []rune(d.lines[node.Line-1])
	if from := node.Column - 1; from >= 0 && from < len(line) && strings.HasPrefix(string(line[from:]), "! ") {
		return "!"
	}
	return ""
}
