package main

import (
	"bytes"
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
