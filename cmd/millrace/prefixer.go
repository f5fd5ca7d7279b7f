package main

import (
	"bytes"
	"io"
	"strings"
)

// tailLines is how many of a program's last lines its error quotes.
const tailLines = 5

// longestLine bounds the memory for a line whose end does not come.
const longestLine = 64 << 10

// prefixer passes a program's output on, line by line. One goroutine at a time may
// use it.
type prefixer struct {
	prefix  string
	out     io.Writer
	partial []byte   // a line without its end so far
	last    []string // at most tailLines
}

// Write passes on the complete lines.
func (p *prefixer) Write(b []byte) (int, error) {
	p.partial = append(p.partial, b...)
	for {
		line, rest, found := bytes.Cut(p.partial, []byte("\n"))
		if !found {
			if len(p.partial) >= longestLine {
				p.flush()
			}
			return len(b), nil
		}
		p.pass(string(line))
		p.partial = rest
	}
}

// flush passes on a last line without an end.
func (p *prefixer) flush() {
	if len(p.partial) > 0 {
		p.pass(string(p.partial))
		p.partial = nil
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
