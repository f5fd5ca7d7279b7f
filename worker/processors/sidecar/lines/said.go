package lines

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"
)

// longestLine bounds the memory for a line of text whose end does not come.
const longestLine = 64 << 10

// output gets whole lines for people. It is safe for concurrent use.
type output struct {
	mu sync.Mutex
	w  io.Writer // guarded by mu
}

// say writes a line about the program.
func (o *output) say(format string, args ...any) {
	o.write(fmt.Appendf(nil, "millrace-lines: "+format+"\n", args...))
}

func (o *output) write(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.w.Write(line) // the standard error
}

// said passes on what one process writes to its standard error, and keeps the last line. It
// is safe for concurrent use.
type said struct {
	out     *output
	mu      sync.Mutex
	partial []byte // guarded by mu
	last    string // guarded by mu
}

// Write implements io.Writer.
func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partial = append(s.partial, b...)
	for {
		line, rest, found := bytes.Cut(s.partial, []byte("\n"))
		if !found {
			break
		}
		s.pass(line)
		s.partial = rest
	}
	if len(s.partial) >= longestLine {
		s.pass(s.partial)
		s.partial = nil
	}
	return len(b), nil
}

// pass passes on a line. The caller holds mu.
func (s *said) pass(line []byte) {
	s.last = beginning(line, 500)
	s.out.write(append(bytes.Clone(line), '\n'))
}

// beginning returns the first bytes of a line, most at most, without cutting a rune.
func beginning(line []byte, most int) string {
	if len(line) <= most {
		return string(line)
	}
	for most > 0 && !utf8.RuneStart(line[most]) {
		most--
	}
	return string(line[:most])
}

// lastLine returns the last line of a process that has ended, and passes on one without an
// end.
func (s *said) lastLine() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.partial) > 0 {
		s.pass(s.partial)
		s.partial = nil
	}
	return s.last
}
