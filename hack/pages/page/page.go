// Package page reads the files and the commands that a Markdown page shows, runs the
// commands as a reader would, and compares their output with the page's.
package page

import (
	"regexp"
	"strings"
)

// Block is the text between two lines of three backquotes.
type Block struct {
	// Language is the first word behind the backquotes, such as yaml or console.
	Language string
	// File is the name of the file that holds the text, from title="NAME" behind the
	// language, or "" for a block that is no file.
	File string
	Text string
	// start is the place of the text in the page, in bytes.
	start int
}

var (
	fence = regexp.MustCompile("(?ms)^```([a-z]*)([^`\n]*)\n(.*?)^```$")
	title = regexp.MustCompile(`title="([^"]*)"`)
)

// Blocks returns the blocks of a page, in their order.
func Blocks(page string) []Block {
	var found []Block
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := Block{Language: page[at[2]:at[3]], Text: page[at[6]:at[7]], start: at[6]}
		if name := title.FindStringSubmatch(page[at[4]:at[5]]); name != nil {
			b.File = name[1]
		}
		found = append(found, b)
	}
	return found
}

// Prose returns a page without its blocks.
func Prose(page string) string { return fence.ReplaceAllString(page, "") }

// Step is a command of a block of the language console, with the output that follows it.
type Step struct {
	Command string
	Output  string
	// Line is the number of the command's line in the page, from 1 on.
	Line int

	start, end int // the place of the output in the page, in bytes
}

// Program returns the command's first word.
func (s *Step) Program() string {
	first, _, _ := strings.Cut(strings.TrimSpace(s.Command), " ")
	return first
}

const prompt = "$ "

// Steps returns the commands of a block of the page.
func (b *Block) Steps(page string) []Step {
	if b.Language != "console" {
		return nil
	}
	var steps []Step
	at := b.start
	for _, line := range strings.SplitAfter(b.Text, "\n") {
		next := at + len(line)
		last := len(steps) - 1
		switch {
		case last >= 0 && steps[last].Output == "" && unfinished(steps[last].Command):
			steps[last].Command += line
			steps[last].start, steps[last].end = next, next
		case strings.HasPrefix(line, prompt):
			steps = append(steps, Step{
				Command: strings.TrimPrefix(line, prompt), Line: 1 + strings.Count(page[:at], "\n"), start: next, end: next,
			})
		case last >= 0:
			steps[last].Output += line
			steps[last].end = next
		}
		at = next
	}
	return steps
}

// document matches the beginning of a here-document.
var document = regexp.MustCompile(`<<-?\s*'?(\w+)'?`)

// unfinished reports whether a command goes on in the next line: after a backslash, in a
// here-document, or in parentheses.
func unfinished(command string) bool {
	if strings.HasSuffix(command, "\\\n") {
		return true
	}
	if word := document.FindStringSubmatch(command); word != nil {
		return !strings.HasSuffix(command, "\n"+word[1]+"\n")
	}
	return strings.Count(command, "(") > strings.Count(command, ")")
}
