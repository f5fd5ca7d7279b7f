package main

import (
	"regexp"
	"strings"
)

// line is a line of text without the marks of a comment; an empty one ends a
// paragraph.
type line struct {
	number int
	text   string
}

// sentence stands on the line that it begins on.
type sentence struct {
	line int
	text string
}

var (
	item = regexp.MustCompile(`^\s*([-*]|[0-9]+[.)])\s+`)
	// An end is followed by the beginning of the next sentence.
	end = regexp.MustCompile("[.!?][\"')*_`]*\\s+[\"'(*_`\\[]*[A-Z0-9`]")
	// Abbreviations whose full stop ends nothing.
	abbreviated = regexp.MustCompile(`(?i)\b(e\.g|i\.e|vs|etc|cf)\.$`)
	word        = regexp.MustCompile(`\p{L}+`)
)

// fewestWords is the number of words from which a text counts as a sentence; a
// shorter one is a name or a value.
const fewestWords = 4

// split returns the sentences of lines.
func split(lines []line) []sentence {
	var found []sentence
	var paragraph []line
	finish := func() {
		found = append(found, splitParagraph(paragraph)...)
		paragraph = nil
	}
	for _, one := range lines {
		if strings.TrimSpace(one.text) == "" {
			finish()
			continue
		}
		if mark := item.FindString(one.text); mark != "" {
			finish()
			one.text = one.text[len(mark):]
		}
		paragraph = append(paragraph, one)
	}
	finish()
	return found
}

func splitParagraph(lines []line) []sentence {
	var text strings.Builder
	var begins []int // the offset at which each line begins
	for _, one := range lines {
		begins = append(begins, text.Len())
		text.WriteString(strings.TrimSpace(one.text))
		text.WriteByte(' ')
	}
	var found []sentence
	whole, from, searched := text.String(), 0, 0
	cut := func(to int) {
		one := strings.TrimSpace(whole[from:to])
		if len(word.FindAllString(one, fewestWords)) == fewestWords {
			at := 0
			for at+1 < len(begins) && begins[at+1] <= from {
				at++
			}
			found = append(found, sentence{lines[at].number, one})
		}
		from, searched = to, to
	}
	for {
		match := end.FindStringIndex(whole[searched:])
		if match == nil {
			break
		}
		stop := searched + match[0] + 1
		if abbreviated.MatchString(whole[from:stop]) {
			searched = stop
			continue
		}
		space := strings.IndexAny(whole[stop:], " \t\n")
		cut(stop + space + 1)
	}
	cut(len(whole))
	return found
}
