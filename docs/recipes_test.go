package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/pages/page"
)

// TestRecipesAreSamples checks that each manifest of the recipes is a sample, which other
// tests run.
func TestRecipesAreSamples(t *testing.T) {
	files, err := filepath.Glob("../config/samples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	samples := map[string]bool{}
	for _, file := range files {
		_, manifest, _ := strings.Cut(read(t, file), "apiVersion:")
		samples["apiVersion:"+manifest] = true
	}
	recipes := 0
	for _, block := range page.Blocks(read(t, "recipes.md")) {
		if block.Language != "yaml" {
			continue
		}
		recipes++
		if !samples[block.Text] {
			t.Errorf("no sample has this manifest:\n%s", block.Text)
		}
	}
	if recipes < 6 {
		t.Errorf("there are %d recipes", recipes)
	}
}

// TestPrograms compiles the programs in the documents that are no files of a guide.
func TestPrograms(t *testing.T) {
	programs := 0
	for _, document := range documents {
		for _, block := range page.Blocks(read(t, document)) {
			if block.Language != "go" || block.File != "" {
				continue
			}
			programs++
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, []byte(block.Text), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", document, err, out)
			}
		}
	}
	if programs == 0 {
		t.Error("there is no program")
	}
}
