package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s#]*)(?:#([^)\s]*))?\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	// noAnchor matches the characters of a heading that its anchor leaves out.
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinks checks that each link between files of the repository leads to a file, and to a
// heading in it.
func TestLinks(t *testing.T) {
	for _, document := range append([]string{"../DESIGN.md", "../CHANGELOG.md"}, documents...) {
		for _, found := range link.FindAllStringSubmatch(page.Prose(read(t, document)), -1) {
			target, anchor := found[1], found[2]
			if strings.Contains(target, ":") {
				continue // another site's
			}
			file := document
			if target != "" {
				file = filepath.Join(filepath.Dir(document), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %s leads nowhere", document, found[0])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(t, file), anchor) {
				t.Errorf("%s: %s has no heading #%s", document, file, anchor)
			}
		}
	}
}

// anchors returns the anchors of a file's headings, as code hosts make them.
func anchors(t *testing.T, file string) (found []string) {
	t.Helper()
	for _, h := range heading.FindAllStringSubmatch(page.Prose(read(t, file)), -1) {
		found = append(found, strings.ReplaceAll(noAnchor.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return found
}
