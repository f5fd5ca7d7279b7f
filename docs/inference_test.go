package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

// inference is the page that runs a model.
const inference = "inference.md"

// TestInference follows the page from an empty folder beside a clone to labelled messages, and
// runs the program as its image has it.
func TestInference(t *testing.T) {
	folder, millrace := t.TempDir(), buildMillrace(t)
	clone := cloneIn(t, folder, millrace)
	if err := os.Symlink(absolute(t, "../config"), filepath.Join(clone, "config")); err != nil {
		t.Fatal(err)
	}
	environment := languages["python.md"].follow(t, read(t, inference), folder)

	program := filepath.Join(folder, "language")
	i := buildImage(t, program, nil, environment)
	cmd := exec.CommandContext(t.Context(), millrace, "test", "-f", "../millrace/config/samples/language-python.yaml", "--sidecar", i.command())
	cmd.Dir, cmd.Env = program, append(os.Environ(), i.environment...)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "2 cases") {
		t.Errorf("the program of the image: %v\n%s", err, out)
	}
}

// TestCodeOfInference: the code that the page explains is in the example.
func TestCodeOfInference(t *testing.T) {
	example := read(t, "../worker/sdks/python/examples/language/classify.py")
	found := 0
	for _, block := range page.Blocks(read(t, inference)) {
		if block.Language != "python" {
			continue
		}
		found++
		if !strings.Contains(example, block.Text) {
			t.Errorf("the example does not have this code:\n%s", block.Text)
		}
	}
	if found == 0 {
		t.Error("the page has no code")
	}
}
