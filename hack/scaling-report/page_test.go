package main

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/controllers/scaling/simulate"
)

// TestPage checks that every scenario is on the page with its decisions, and that the page loads
// nothing from elsewhere.
func TestPage(t *testing.T) {
	run := simulate.Play(simulate.Scenarios()[0])
	text, err := page([]*simulate.Run{run})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{run.Scenario.Name, string(run.Changes()[0].Reason), "<svg", "</html>"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"http:", "https:", "NaN", "ZgotmplZ"} {
		if bytes.Contains(text, []byte(unwanted)) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}

// TestPageFitsAPhone checks what lets the page be read at 420 px: the browser does not lay
// it out for a desktop, nothing has a width of its own beyond that, no text is smaller than
// 12 px, the texts of plots are not scaled with their lines, and rows of tables wrap.
func TestPageFitsAPhone(t *testing.T) {
	all := simulate.Scenarios()
	var runs []*simulate.Run
	for _, s := range all[:3] {
		runs = append(runs, simulate.Play(s))
	}
	content, err := page(runs)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, want := range []string{
		`<meta name="viewport" content="width=device-width, initial-scale=1">`,
		"@media (max-width: 700px)", "tr { display: flex; flex-wrap: wrap;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, found := range regexp.MustCompile(`(?:[^-]width: ?|min-width: ?|\swidth="|basis: ?)(\d+)px`).FindAllStringSubmatch(text, -1) {
		if width, _ := strconv.Atoi(found[1]); width > 420 {
			t.Errorf("%s is wider than 420 px", found[0])
		}
	}
	for _, found := range regexp.MustCompile(`font(?:-size)?: ?(\d+)px`).FindAllStringSubmatch(text, -1) {
		if size, _ := strconv.Atoi(found[1]); size < 12 {
			t.Errorf("%s is smaller than 12 px", found[0])
		}
	}
	plots := regexp.MustCompile(`(?s)<svg(.*?)>(.*?)</svg>`).FindAllStringSubmatch(text, -1)
	for _, found := range plots {
		if !strings.Contains(found[1], `preserveAspectRatio="none"`) || strings.Contains(found[2], "<text") {
			t.Errorf("a plot scales its texts: %.200s", found[0])
		}
	}
	if len(plots) != 3*len(runs) {
		t.Errorf("%d plots, want 3 of each run", len(plots))
	}
	for _, found := range regexp.MustCompile(`(?:left|top): ([\d.-]+)%`).FindAllStringSubmatch(text, -1) {
		if at, err := strconv.ParseFloat(found[1], 64); err != nil || at < 0 || at > 100 {
			t.Errorf("%s is outside of its plot", found[0])
		}
	}
}
