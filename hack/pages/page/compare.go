package page

import (
	"regexp"
	"strings"
)

// varying are the parts of an output that differ from run to run, with their replacements.
var varying = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`), "TIME"},
	{regexp.MustCompile(`\b[\d,]+ records/s`), "N records/s"},
	{regexp.MustCompile(`\bran for [\d.]+ s\b`), "ran for N s"},
	{regexp.MustCompile(`\b\d+\.\d+s\b`), "Ns"},
	// It depends on the version of the toolchain.
	{regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`), "DIGEST"},
	// A record without a key may be in any partition.
	{regexp.MustCompile(`\bpartition \d+ offset \d+\b`), "partition N offset N"},
	// A table of kubectl, whose last column is an age.
	{regexp.MustCompile(`(?m) +(?:\d+[dhms])+$`), " AGE"},
	// Maven resets the colors even where it uses none.
	{regexp.MustCompile(`\x1b\[[0-9;]*m`), ""},
	// The Go command, in a new environment.
	{regexp.MustCompile(`(?m)^go: downloading .*\n`), ""},
}

// Shows reports whether an output is the one that the page shows for a step, except for the
// parts that differ from run to run.
func (s *Step) Shows(output string) bool { return matches(s.Output, output) }

// matches reports whether an output is the one that the page shows, except for times and
// rates. A line of three dots in the page stands for any lines.
func matches(shown, got string) bool {
	for _, v := range varying {
		shown = v.pattern.ReplaceAllString(shown, v.replacement)
		got = v.pattern.ReplaceAllString(got, v.replacement)
	}
	var pattern strings.Builder
	for _, line := range strings.SplitAfter(shown, "\n") {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(line))
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(got)
}
