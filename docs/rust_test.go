package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

// TestRustCode: the code in the documents is in the examples of the Rust SDK, which are
// compiled and tested there, unless it is of the program that a reader comes from, or a file
// that TestLanguages compiles.
func TestRustCode(t *testing.T) {
	files, err := filepath.Glob("../worker/sdks/rust/examples/*.rs")
	if err != nil {
		t.Fatal(err)
	}
	var examples strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		examples.Write(text)
	}
	found := 0
	for _, document := range documents {
		for _, block := range page.Blocks(read(t, document)) {
			if block.Language != "rust" || block.File != "" || strings.HasPrefix(block.Text, "consumer.stream()") {
				continue
			}
			found++
			if !strings.Contains(examples.String(), block.Text) {
				t.Errorf("%s: no example of the Rust SDK has this code:\n%s", document, block.Text)
			}
		}
	}
	if found == 0 {
		t.Error("no document has Rust code")
	}
}
