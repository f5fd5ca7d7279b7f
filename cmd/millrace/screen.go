package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	// redrawInterval is how often the progress line changes on a terminal. Elsewhere
	// a new line appears each lineInterval.
	redrawInterval = 200 * time.Millisecond
	lineInterval   = 5 * time.Second

	clearLine = "\r\x1b[K"
)

// screen writes log lines to the standard error. On a terminal it keeps one line of
// progress below them and redraws it in place. It is safe for concurrent use.
type screen struct {
	out      io.Writer
	terminal *os.File // out, or nil if out is not a terminal

	mu       sync.Mutex
	progress string    // the line on the terminal; guarded by mu
	written  time.Time // when Progress last wrote a line; guarded by mu
}

func newScreen(out io.Writer) *screen {
	return &screen{out: out, terminal: terminalOf(out), written: time.Now()} // the first line waits until there is progress
}

// terminalOf returns out if it is a terminal, and nil otherwise.
func terminalOf(out io.Writer) *os.File {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// Write writes whole lines above the progress line.
func (s *screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.progress == "" {
		return s.out.Write(lines)
	}
	s.write(clearLine)
	n, err := s.out.Write(lines)
	s.write(s.progress)
	return n, err
}

// Say writes one line.
func (s *screen) Say(format string, args ...any) {
	_, _ = fmt.Fprintf(s, format+"\n", args...)
}

// Progress shows the line: in place on a terminal, every few seconds elsewhere.
func (s *screen) Progress(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	interval := lineInterval
	if s.terminal != nil {
		interval = redrawInterval
	}
	if time.Since(s.written) < interval {
		return
	}
	s.written = time.Now()
	if s.terminal == nil {
		s.write(line + "\n")
		return
	}
	s.progress = s.cut(line)
	s.write(clearLine + s.progress)
}

// cut makes a line fit the terminal: clearLine can't clear a line that wraps.
func (s *screen) cut(line string) string {
	width, _, err := term.GetSize(int(s.terminal.Fd()))
	if err != nil || width <= 0 {
		return line
	}
	return fit(line, width-1)
}

// fit cuts a line to a number of columns. An ellipsis shows that there is more.
func fit(line string, columns int) string {
	runes := []rune(line)
	if len(runes) <= columns {
		return line
	}
	return string(runes[:max(columns-1, 0)]) + "…"
}

// Clear removes the progress line.
func (s *screen) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.progress != "" {
		s.progress = ""
		s.write(clearLine)
	}
}

// write ignores an error: there is nowhere to report it. The caller holds mu.
func (s *screen) write(text string) { _, _ = io.WriteString(s.out, text) }
