// Command mutations shows that the tests of DESIGN.md's invariants fail when an
// invariant is broken. For each mutation in its list it changes one line and runs the
// test that the list names: the test must pass without the change and fail with it.
// Run it in the repository's root:
//
//	go run ./hack/mutations [-run REGEXP]
//
// The changed file reaches the compiler through go's -overlay, so the work tree stays
// as it is. The test of this command checks the list itself, in a moment.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// mutation is one changed line that breaks an invariant.
type mutation struct {
	invariant int    // its number in DESIGN.md
	name      string // as DESIGN.md has it
	file      string
	old, new  string // the line without its indentation, before and after
	test      string // must fail with the new line
	in        string // the test's package; "" is the file's
}

func (m *mutation) pkg() string {
	if m.in != "" {
		return "./" + m.in
	}
	return "./" + filepath.ToSlash(filepath.Dir(m.file))
}

func main() {
	only := flag.String("run", "", "apply only the mutations whose names match this regular expression")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	var chosen []*mutation
	for i := range mutations {
		if pattern.MatchString(mutations[i].name) {
			chosen = append(chosen, &mutations[i])
		}
	}
	if err := withoutMutations(root, chosen); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	failed := 0
	for _, m := range chosen {
		start := time.Now()
		err := try(root, m)
		verdict := "ok  "
		if err != nil {
			verdict = "FAIL"
			failed++
		}
		fmt.Printf("%s %d %s: %s (%s)\n", verdict, m.invariant, m.name, m.test, time.Since(start).Round(time.Second))
		if err != nil {
			fmt.Println("    ", strings.ReplaceAll(err.Error(), "\n", "\n     "))
		}
	}
	if failed > 0 {
		fmt.Printf("%d mutations failed\n", failed)
		os.Exit(1)
	}
}

// withoutMutations runs the mutations' tests as the code is.
func withoutMutations(root string, chosen []*mutation) error {
	tests := map[string][]string{} // by package
	for _, m := range chosen {
		if !slices.Contains(tests[m.pkg()], m.test) {
			tests[m.pkg()] = append(tests[m.pkg()], m.test)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(tests)) {
		start := time.Now()
		passed, output := runTests(root, pkg, tests[pkg])
		if !passed {
			return fmt.Errorf("a test in %s fails without any mutation:\n%s", pkg, output)
		}
		fmt.Printf("ok   without mutations: %s: %s (%s)\n", pkg, strings.Join(tests[pkg], ", "), time.Since(start).Round(time.Second))
	}
	return nil
}

// try runs the mutation's test with the mutation.
func try(root string, m *mutation) error {
	content, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return err
	}
	mutated, err := apply(string(content), m)
	if err != nil {
		return err
	}
	overlay, remove, err := writeOverlay(root, map[string]string{m.file: mutated})
	if err != nil {
		return err
	}
	defer remove()
	passed, output := runTests(root, m.pkg(), []string{m.test}, "-overlay", overlay)
	if passed {
		return fmt.Errorf("%s passes although %s has the line %q", m.test, m.file, m.new)
	}
	if !strings.Contains(output, "--- FAIL: "+m.test) {
		return fmt.Errorf("%s did not fail, something else did:\n%s", m.test, output)
	}
	return nil
}

func runTests(root, pkg string, tests []string, args ...string) (passed bool, output string) {
	args = append([]string{"test", "-count=1", "-vet=off", "-timeout=10m", "-run=^(" + strings.Join(tests, "|") + ")$"}, args...)
	cmd := exec.Command("go", append(args, pkg)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return err == nil && !strings.Contains(string(out), "no tests to run"), string(out)
}

// writeOverlay writes changed files, by their paths below root, and the overlay that puts
// them in the place of the originals.
func writeOverlay(root string, changed map[string]string) (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "mutation")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) } // a leftover in the temporary directory does no harm
	path = filepath.Join(dir, "overlay.json")
	replace := map[string]string{}
	for name, content := range changed {
		file := filepath.Join(dir, fmt.Sprintf("%d-%s", len(replace), filepath.Base(name)))
		replace[filepath.Join(root, name)] = file
		err = errors.Join(err, os.WriteFile(file, []byte(content), 0o600))
	}
	overlay, encodeErr := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err = errors.Join(err, encodeErr, os.WriteFile(path, overlay, 0o600)); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// apply returns the content with the mutation's line changed. The line must occur
// exactly once.
func apply(content string, m *mutation) (string, error) {
	lines := strings.Split(content, "\n")
	at := -1
	for i, line := range lines {
		if strings.TrimSpace(line) != m.old {
			continue
		}
		if at >= 0 {
			return "", fmt.Errorf("%s has the line %q more than once, in %d and %d", m.file, m.old, at+1, i+1)
		}
		at = i
	}
	if at < 0 {
		return "", fmt.Errorf("%s has no line %q", m.file, m.old)
	}
	lines[at] = strings.Replace(lines[at], m.old, m.new, 1)
	return strings.Join(lines, "\n"), nil
}
