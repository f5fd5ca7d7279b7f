package page

import (
	"slices"
	"strings"
)

// Update returns the page with the outputs of the results in the place of those that it
// shows. An output with a line of three dots stays.
func Update(text string, results []Result) string {
	for _, r := range slices.Backward(results) {
		if matches(r.Output, r.Got) || strings.Contains("\n"+r.Output, "\n...\n") {
			continue
		}
		text = text[:r.start] + r.Got + text[r.end:]
	}
	return text
}
