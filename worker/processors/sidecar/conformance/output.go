package conformance

import (
	"strings"
	"sync"
)

// output keeps the end of the program's output.
type output struct {
	mu   sync.Mutex
	text string // guarded by mu
}

const keptOutput = 16 << 10

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text += string(p)
	if n := len(o.text) - keptOutput; n > 0 {
		o.text = o.text[n:]
	}
	return len(p), nil
}

func (o *output) contains(text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Contains(o.text, text)
}

// tail returns the last lines as the end of an error.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(o.text), "\n")
	if lines[0] == "" && len(lines) == 1 {
		return ""
	}
	if len(lines) > 5 {
		lines = lines[len(lines)-5:]
	}
	return "; the program's last lines:\n  " + strings.Join(lines, "\n  ")
}
