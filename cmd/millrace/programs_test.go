package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// watchedOutput is a screen's output in which a test can wait for a text.
type watchedOutput struct {
	changed chan struct{}
	mu      sync.Mutex
	buf     bytes.Buffer // guarded by mu
}

func newWatchedOutput() *watchedOutput { return &watchedOutput{changed: make(chan struct{}, 1)} }

func (o *watchedOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *watchedOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *watchedOutput) await(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !strings.Contains(o.String(), want) {
		select {
		case <-o.changed:
		case <-deadline:
			t.Fatalf("no %q in\n%s", want, o)
		}
	}
}

// startScripts runs a shell script as the program of count workers.
func startScripts(t *testing.T, count int, script string) (*workers, *watchedOutput) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	out := newWatchedOutput()
	cfg := config.Config{Name: "sample"}
	w, err := startPrograms(path+" 'an argument'", []string{"--model", "$small size"}, cfg, count, t.TempDir(), newScreen(out))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.kill)
	return w, out
}

func awaitEnd(t *testing.T, w *workers) error {
	t.Helper()
	select {
	case <-w.done:
		return w.err
	case <-time.After(30 * time.Second):
		t.Fatal("the programs did not end")
		return nil
	}
}

const waitForTerm = `trap 'echo drained >&2; exit 0' TERM
echo "$1 $2 $3 $4 $(cat "$5" | grep -c '^name: sample')" >&2
while :; do sleep 0.05; done
`

func TestProgramsGetTheirConfigurationAndDrain(t *testing.T) {
	w, out := startScripts(t, 2, waitForTerm)
	out.await(t, "[worker 1] an argument --model $small size --config 1\n")
	out.await(t, "[worker 2] an argument --model $small size --config 1\n")
	w.stop()
	if err := awaitEnd(t, w); err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "drained\n"); n != 2 {
		t.Errorf("%d programs drained, want 2:\n%s", n, out.String())
	}
	if w.statusURLs[0] == w.statusURLs[1] {
		t.Errorf("both programs have the address %s", w.statusURLs[0])
	}
}

func TestProgramThatFailsEndsTheOthers(t *testing.T) {
	// Only one program can make the directory.
	lock := filepath.Join(t.TempDir(), "lock")
	w, _ := startScripts(t, 2, "mkdir "+lock+" && { echo 'error: no such topic' >&2; exit 3; }\n"+waitForTerm)
	err := awaitEnd(t, w)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "error: no such topic") {
		t.Errorf("error %v does not contain the status and the last line", err)
	}
}

func TestProgramsThatEndWrongly(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
		stop         bool
	}{
		"by itself":           {"exit 0", "ended by itself", false},
		"without draining":    {"echo up >&2\nexec sleep 60", "instead of draining", true},
		"can't be started":    {"exec /no/such/program", "no/such/program", false},
		"with an exit status": {"trap 'exit 7' TERM; echo up >&2; while :; do sleep 0.05; done", "exit status 7", true},
	} {
		t.Run(name, func(t *testing.T) {
			w, out := startScripts(t, 1, c.script)
			if c.stop {
				out.await(t, "up\n")
				w.stop()
			}
			if err := awaitEnd(t, w); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
