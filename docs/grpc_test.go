package docs_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/hack/pages/page"
	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/conformance"
)

// grpcPage makes a program of generated code. TestGRPC runs its commands.
const grpcPage = "grpc.md"

// TestGRPC follows the page from an empty folder beside a clone to a program that runs. With
// the test program's process in the place of the page's, the program passes the checks of the
// protocol.
func TestGRPC(t *testing.T) {
	python := languages["python.md"]
	if _, err := os.Stat(filepath.Join("..", python.needs)); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(t, "the packages are not there: run make %s", python.target)
	}
	folder := t.TempDir()
	millrace := filepath.Join(folder, "built")
	if out, err := exec.Command("go", "build", "-o", millrace, "../cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cloneIn(t, folder, millrace)
	r := page.Runner{
		Directory: folder, Environment: append(os.Environ(), python.environment(t)...), Stops: true,
		LeavesOut: func(s *page.Step) bool { return s.IsLeftOut() || strings.HasPrefix(s.Command, "go -C millrace build ") },
		Reads:     func(*page.Step) bool { return false },
		Report:    func(page.Result) {},
	}
	if err := r.Run(t.Context(), read(t, grpcPage)); err != nil {
		t.Fatal(err)
	}
	shout := filepath.Join(folder, "shout")
	if err := copyFile("testdata/grpc_conformance.py", filepath.Join(shout, "conformance.py")); err != nil {
		t.Fatal(err)
	}
	small := exec.Command(filepath.Join(shout, "venv/bin/python"), "-c", longConnection)
	small.Dir = shout
	if out, err := small.CombinedOutput(); err != nil {
		t.Errorf("a connection of many batches: %v\n%s", err, out)
	}
	_, failed, err := conformance.Run(t.Context(), conformance.Options{
		Command:  filepath.Join(shout, "venv/bin/python") + " " + filepath.Join(shout, "conformance.py"),
		Patience: 30 * time.Second,
		Report: func(r conformance.Result) {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		},
	})
	if err != nil || failed > 0 {
		t.Errorf("%d checks have failed: %v", failed, err)
	}
}

// longConnection checks that the program's memory does not grow with each batch.
const longConnection = `
import processor_pb2 as pb, shout
connection = shout.Connection()
for number in range(1, 1001):
    connection.take_batch(pb.Batch(id=number, records=[pb.Record()]))
    connection.held = 0
assert len(connection.used) < 10, f"{len(connection.used)} ids are kept"
`
