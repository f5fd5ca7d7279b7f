package conformance

import (
	"context"
	"path/filepath"
	"testing"
)

// Names returns the names of all checks.
func Names() []string {
	var names []string
	for _, c := range all() {
		names = append(names, c.name)
	}
	return names
}

// Perform performs one check.
func Perform(ctx context.Context, t *testing.T, name string, opts Options) error {
	t.Helper()
	for _, c := range all() {
		if c.name == name {
			s := &session{ctx: ctx, opts: opts, socket: filepath.Join(t.TempDir(), "s")}
			return s.perform(c)
		}
	}
	t.Fatalf("there is no check %q", name)
	return nil
}
