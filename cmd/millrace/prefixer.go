package main

import (
	"bytes"
	"io"
	"strings"
)

// tailLines is how many of a program's last lines are kept for its error.
const tailLines = 5

// prefixer passes a program's output on line by line. It is used by one
// goroutine at a time.
type prefixer struct {
	prefix string
	out    io.Writer
	rest   []byte   // the start of a line that has not ended
	last   []string // at most tailLines
}

// Write passes on the lines that are complete.
func (p *prefixer) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		line, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		p.pass(string(line))
		p.rest = rest
	}
}

// flush passes on a last line that has no end.
func (p *prefixer) flush() {
	if len(p.rest) > 0 {
		p.pass(string(p.rest))
		p.rest = nil
	}
}

func (p *prefixer) pass(line string) {
	_, _ = io.WriteString(p.out, p.prefix+line+"\n") // the standard error
	if p.last = append(p.last, line); len(p.last) > tailLines {
		p.last = p.last[1:]
	}
}

// tail returns the last lines as the end of an error.
func (p *prefixer) tail() string {
	if len(p.last) == 0 {
		return ""
	}
	return "; its last lines:\n  " + strings.Join(p.last, "\n  ")
}
