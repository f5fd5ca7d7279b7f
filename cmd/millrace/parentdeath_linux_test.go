package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAKilledRunTakesItsProgramWithIt: a program that nobody stops any more would read on
// in the consumer group.
func TestAKilledRunTakesItsProgramWithIt(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pipe.Close() }()
	if err := pipe.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	// The pipe has a writer for as long as the program lives.
	program := writeFile(t, "program", fmt.Appendf(nil, "#!/bin/sh\nexec 3>%s\necho $$ >&3\ntrap '' TERM\nwhile :; do sleep 0.05; done\n", fifo))
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(os.Args[0], "run", "-f", writeManifest(t, "  processor: {container: {image: registry/program}}\n"), "--exec", program)
	run.Env, run.Stderr = append(os.Environ(), asProgram+"=1"), os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(firstLine(t, pipe)))
	if err != nil {
		t.Error(err)
	}
	if err := run.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = run.Wait() // it was killed
	if err := pipe.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(pipe); err != nil {
		t.Errorf("the program outlives the run: %v", err)
		if pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// firstLine reads a pipe's first line. Until the pipe has a writer, each read ends at
// once.
func firstLine(t *testing.T, pipe *os.File) string {
	t.Helper()
	var line strings.Builder
	for deadline := time.Now().Add(time.Minute); !strings.HasSuffix(line.String(), "\n"); {
		var b [1]byte
		n, err := pipe.Read(b[:])
		line.Write(b[:n])
		if err != nil && !errors.Is(err, io.EOF) || time.Now().After(deadline) {
			t.Errorf("no line from the program: %v", err)
			break
		}
		if n == 0 {
			time.Sleep(10 * time.Millisecond)
		}
	}
	return line.String()
}
