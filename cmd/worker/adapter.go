package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/lines"
)

// adapter does what the arguments ask of the adapter, and returns the exit code; ok is false
// if they are a worker's.
func adapter(args []string) (code int, ok bool) {
	switch {
	case len(args) == 2 && args[0] == "install":
		if err := install(args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			return 1, true
		}
		return 0, true
	case len(args) >= 2 && args[0] == "lines" && args[1] == "--":
		return lines.Main(args[2:]), true
	default:
		return 0, false
	}
}

// install copies this program to a file. When a pod is started again, the file may be there.
func install(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	from, err := os.Open(self)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	// A file that runs can't be written to, but be replaced.
	next := path + ".next"
	to, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Chmod(0o755), to.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}
