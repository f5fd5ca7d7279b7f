package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// TestTheAdapter copies itself twice, as in a pod that is started again, and runs a program
// from there.
func TestTheAdapter(t *testing.T) {
	dir := t.TempDir()
	installed := filepath.Join(dir, "worker")
	for range 2 {
		install := exec.CommandContext(t.Context(), os.Args[0], "install", installed)
		install.Env = append(os.Environ(), "RUN_WORKER=1")
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	socket := filepath.Join(dir, "s")
	p, err := sidecar.Listen(sidecar.Options{Socket: socket, Log: logr.Discard(), Worker: config.Config{}})
	if err != nil {
		t.Fatal(err)
	}
	adapter := exec.CommandContext(t.Context(), installed, "lines", "--", "sed", "-u", "s/old/new/")
	adapter.Env = append(os.Environ(), "RUN_WORKER=1", "MILLRACE_SOCKET="+socket, "MILLRACE_PROCESSES=2")
	adapter.Stderr = os.Stderr
	if err := adapter.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	results := workertest.Run(t.Context(), worker.Batch(p), worker.Record{Value: []byte("old")})
	if got := workertest.Values(results); len(got) != 1 || got[0] != "new" {
		t.Errorf("the results are %+v", results)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := adapter.Wait(); err != nil {
		t.Errorf("the adapter ends with %v", err)
	}
}

// TestTheAdaptersMistakes have their reasons.
func TestTheAdaptersMistakes(t *testing.T) {
	for want, args := range map[string][]string{
		"MILLRACE_PROCESSES is \"\": it has to be a number": {"lines", "--", "cat"},
		"no such file or directory":                         {"install", "/no-such-folder/worker"},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], args...)
		command.Env = append(os.Environ(), "RUN_WORKER=1")
		if out, err := command.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%q ends with %v and %s, want %q", args, err, out, want)
		}
	}
}
