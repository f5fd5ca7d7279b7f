package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestMutationsApply: each mutation changes a line that occurs exactly once, to another
// one, and its test exists.
func TestMutationsApply(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutations {
		if names[m.name] {
			t.Errorf("there are two mutations %s", m.name)
		}
		names[m.name] = true
		content, err := os.ReadFile(filepath.Join("../..", m.file))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if _, err := apply(string(content), &m); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if m.old == m.new {
			t.Errorf("%s changes nothing", m.name)
		}
		if !hasTest(t, m.pkg(), m.test) {
			t.Errorf("%s: %s has no %s", m.name, m.pkg(), m.test)
		}
	}
}

// TestMutationsCompile: a mutation that does not compile breaks no invariant. As many as
// change different lines are compiled together.
func TestMutationsCompile(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for rest := mutations; len(rest) > 0; {
		changed := map[string]string{}
		var later []mutation
		for _, m := range rest {
			content, ok := changed[m.file]
			if !ok {
				original, err := os.ReadFile(filepath.Join(root, m.file))
				if err != nil {
					t.Fatal(err)
				}
				content = string(original)
			}
			if mutated, err := apply(content, &m); err == nil {
				changed[m.file] = mutated
			} else {
				later = append(later, m)
			}
		}
		if len(later) == len(rest) {
			t.Fatalf("%s can't be applied", rest[0].name)
		}
		overlay, remove, err := writeOverlay(root, changed)
		if err != nil {
			t.Fatal(err)
		}
		defer remove()
		build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "./worker/...")
		build.Dir = root
		if said, err := build.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
		rest = later
	}
}

func hasTest(t *testing.T, pkg, test string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "func "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}

// TestEachInvariantNamesItsMutations: DESIGN.md has each mutation with its test, under
// its invariant, and names no others. No invariant is without one.
func TestEachInvariantNamesItsMutations(t *testing.T) {
	design, err := os.ReadFile("../../DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(design), "\n## Invariants\n")
	section, _, _ = strings.Cut(section, "\n## ")
	parts := regexp.MustCompile(`(?m)^(\d+)\. `).Split(section, -1)
	if len(parts) < 2 {
		t.Fatal("DESIGN.md has no invariants")
	}
	for number, text := range parts {
		named := map[string]string{} // tests by mutations
		for _, pair := range regexp.MustCompile("`([a-z-]+)` → `(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(text, -1) {
			named[pair[1]] = pair[2]
		}
		if number > 0 && len(named) == 0 {
			t.Errorf("invariant %d names no mutation", number)
		}
		for _, m := range mutations {
			if m.invariant != number {
				continue
			}
			if named[m.name] != m.test {
				t.Errorf("invariant %s does not name `%s` → `%s`", strconv.Itoa(number), m.name, m.test)
			}
			delete(named, m.name)
		}
		for name := range named {
			t.Errorf("invariant %d names the mutation %s, which is not in the list", number, name)
		}
	}
}
