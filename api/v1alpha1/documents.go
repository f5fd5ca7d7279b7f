package v1alpha1

import (
	"bytes"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// splitDocuments returns the documents of a YAML or JSON text as JSON, without
// the empty ones. Duplicate fields are errors.
func splitDocuments(text []byte) ([][]byte, error) {
	var documents [][]byte
	for _, part := range SplitDocuments(string(text)) {
		tree, err := yaml.YAMLToJSONStrict([]byte(part))
		if err != nil {
			return nil, fmt.Errorf("not readable as YAML: %w", err)
		}
		if !bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
			documents = append(documents, tree)
		}
	}
	return documents, nil
}

// SplitDocuments cuts a YAML text at the lines that end a document or begin the next one,
// because the YAML parser reads only the first document and ignores the others. Each part
// begins with an empty line for each line before it, so that the parser's line numbers
// are those of the whole text.
func SplitDocuments(text string) []string {
	var parts []string
	var part strings.Builder
	lines := 0
	for line := range strings.Lines(text) {
		content, marker := cutMarker(line)
		if marker {
			parts = append(parts, part.String())
			part.Reset()
			part.WriteString(strings.Repeat("\n", lines))
		}
		part.WriteString(content)
		lines++
	}
	return append(parts, part.String())
}

// cutMarker returns a line without its document marker, and reports whether it has one.
func cutMarker(line string) (content string, marker bool) {
	for _, marker := range []string{"---", "..."} {
		content, found := strings.CutPrefix(line, marker)
		if found && strings.TrimLeft(content, " \t\r\n") != content || content == "" {
			return strings.Repeat(" ", len(marker)) + content, true
		}
	}
	return line, false
}
