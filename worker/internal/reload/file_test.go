package reload

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"

	"github.com/millrace-dev/millrace/worker/config"
)

// mounted is a file in a directory that is replaced as a kubelet replaces that of a
// ConfigMap: by a symbolic link that moves to another directory.
type mounted struct {
	*testing.T
	dir     string
	n       int
	written []string // the lines of the log
}

func mount(t *testing.T, content string) *mounted {
	m := &mounted{T: t, dir: t.TempDir()}
	m.write(content)
	if err := os.Symlink(filepath.Join("..data", "file"), m.path()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *mounted) path() string { return filepath.Join(m.dir, "file") }

func (m *mounted) write(content string) {
	m.Helper()
	m.n++
	version := fmt.Sprint("..", m.n)
	link := filepath.Join(m.dir, "..tmp")
	err := errors.Join(
		os.Mkdir(filepath.Join(m.dir, version), 0o755),
		os.WriteFile(filepath.Join(m.dir, version, "file"), []byte(content), 0o600),
		os.Symlink(version, link),
		os.Rename(link, filepath.Join(m.dir, "..data")),
	)
	if err != nil {
		m.Fatal(err)
	}
}

func (m *mounted) log() logr.Logger {
	return funcr.New(func(_, args string) { m.written = append(m.written, args) }, funcr.Options{})
}

// expect checks the version in use, and that the log's last line has a text.
func (m *mounted) expect(f *File, content, refused, failure, line string) {
	m.Helper()
	s := f.Status()
	want := config.ExpressionsVersion([]byte(content))
	if refused != "" {
		refused = config.ExpressionsVersion([]byte(refused))
	}
	if s.Version != want || s.Refused != refused || !strings.Contains(s.Error, failure) || (s.Error == "") != (failure == "") || s.Since.IsZero() {
		m.Errorf("the status is %+v; want version %s, refused %q, error %q", s, want, refused, failure)
	}
	if last := strings.Join(m.written[max(0, len(m.written)-1):], ""); !strings.Contains(last, line) {
		m.Errorf("the log's last line is %s; want %q", last, line)
	}
}

// TestChangesAreTakenOver: each change is taken over once. A content that is refused
// leaves the former one in use, until a content comes that is not.
func TestChangesAreTakenOver(t *testing.T) {
	m := mount(t, "one")
	var taken []string
	f, err := Open(m.path(), func(content []byte) error {
		switch text := string(content); {
		case strings.HasPrefix(text, "bad"):
			return errors.New("no such " + text)
		case strings.HasPrefix(text, "panic"):
			panic(text)
		default:
			taken = append(taken, text)
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	look := func() { f.look(m.log()) }
	look()
	m.expect(f, "one", "", "", "")

	m.write("two")
	look()
	look()
	m.expect(f, "two", "", "", "changed to other expressions")

	m.write("bad")
	look()
	m.expect(f, "two", "bad", "no such bad", "former ones stay in use")
	lines := len(m.written)
	look()
	if len(m.written) != lines {
		t.Errorf("the refusal was logged again: %q", m.written)
	}
	m.write("panic now")
	look()
	m.expect(f, "two", "panic now", "a panic: panic now", "former ones stay in use")

	m.write("two") // as if the user takes the change back
	since := f.Status().Since
	look()
	m.expect(f, "two", "", "", "")
	if !f.Status().Since.Equal(since) {
		t.Error("taking a refused change back counts as a change")
	}

	if err := os.Remove(filepath.Join(m.dir, "..data")); err != nil {
		t.Fatal(err)
	}
	look()
	m.expect(f, "two", "", "no such file", "former ones stay in use")
	m.write("three")
	look()
	m.expect(f, "three", "", "", "changed to other expressions")
	if got := fmt.Sprint(taken); got != "[one two three]" {
		t.Errorf("taken over: %s", got)
	}
}

// TestNothingStartsWithABadFile: a worker that starts has no former content.
func TestNothingStartsWithABadFile(t *testing.T) {
	m := mount(t, "bad")
	if _, err := Open(m.path(), func([]byte) error { return errors.New("it is bad") }); err == nil || !strings.Contains(err.Error(), m.path()+": it is bad") {
		t.Errorf("error %v", err)
	}
	if _, err := Open(filepath.Join(m.dir, "none"), func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "read the expressions") {
		t.Errorf("error %v", err)
	}
}

// TestWatch: a watch looks at the file by itself, and ends with its context.
func TestWatch(t *testing.T) {
	m := mount(t, "one")
	taken := make(chan string, 2)
	f, err := Open(m.path(), func(content []byte) error { taken <- string(content); return nil })
	if err != nil {
		t.Fatal(err)
	}
	m.write("two")
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		f.Watch(ctx, logr.Discard())
	}()
	for _, want := range []string{"one", "two"} {
		select {
		case got := <-taken:
			if got != want {
				t.Errorf("taken over: %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%q is not taken over", want)
		}
	}
	cancel()
	<-ended
}
