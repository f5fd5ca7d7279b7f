package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/millrace-dev/millrace"

// others are the modules that the map names beside this repository's packages, by the
// beginnings of their import paths.
var others = map[string]string{
	"github.com/segmentio/kafka-go":          "kafka-go",
	"github.com/twmb/franz-go":               "franz-go",
	"github.com/google/go-containerregistry": "go-containerregistry",
	"cel.dev/cel-go":                         "cel-go",
	"google.golang.org/grpc":                 "grpc",
	"k8s.io/":                                "Kubernetes",
	"sigs.k8s.io/controller-runtime":         "Kubernetes",
}

// row is a line of DESIGN.md's map.
type row struct {
	paths   []string // "x/..." stands for all packages below x
	imports []string // packages, by their path or the end of it, and names of others
}

// TestTheMapIsTrue: DESIGN.md's map has a row for each package, and the row names the
// packages that it imports, no more and no fewer. Imports by test files don't count.
func TestTheMapIsTrue(t *testing.T) {
	packages := goList(t)
	rows := mapRows(t)
	mapped := map[string]bool{}
	for _, r := range rows {
		imported := map[string]bool{}
		for _, path := range r.paths {
			if _, err := os.Stat("../" + strings.TrimSuffix(path, "/...")); err != nil {
				t.Errorf("the map names %s: %v", path, err)
			}
			for p, imports := range packages {
				if !covers(path, p) {
					continue
				}
				mapped[p] = true
				for _, i := range imports {
					if !slices.ContainsFunc(r.paths, func(path string) bool { return covers(path, i) }) {
						imported[i] = true
					}
				}
			}
		}
		allowed := map[string]bool{}
		for _, name := range r.imports {
			path, err := resolve(name, packages)
			if err != nil {
				t.Errorf("the row of %s: %v", strings.Join(r.paths, ", "), err)
			}
			allowed[path] = true
		}
		for _, i := range slices.Sorted(maps.Keys(imported)) {
			if !allowed[i] {
				t.Errorf("%s imports %s, which its row in the map does not allow", strings.Join(r.paths, ", "), i)
			}
		}
		for _, a := range slices.Sorted(maps.Keys(allowed)) {
			if !imported[a] {
				t.Errorf("the map allows %s to import %s, which it does not: correct the row", strings.Join(r.paths, ", "), a)
			}
		}
	}
	for _, p := range slices.Sorted(maps.Keys(packages)) {
		if !mapped[p] {
			t.Errorf("the map in DESIGN.md has no row for %s", p)
		}
	}
}

func covers(path, pkg string) bool {
	parent, all := strings.CutSuffix(path, "/...")
	return pkg == parent || all && strings.HasPrefix(pkg, parent+"/")
}

// resolve returns the package that a row calls name: the one with that path, or the
// only one whose path ends with it.
func resolve(name string, packages map[string][]string) (string, error) {
	if _, ok := packages[name]; ok {
		return name, nil
	}
	if slices.Contains(slices.Collect(maps.Values(others)), name) {
		return name, nil
	}
	var found []string
	for p := range packages {
		if strings.HasSuffix(p, "/"+name) {
			found = append(found, p)
		}
	}
	switch len(found) {
	case 0:
		return "", errors.New("there is no package " + name)
	case 1:
		return found[0], nil
	default:
		slices.Sort(found)
		return "", errors.New(name + " may be any of " + strings.Join(found, ", "))
	}
}

// mapRows reads the map.
func mapRows(t *testing.T) (rows []row) {
	t.Helper()
	_, table, _ := strings.Cut(read(t, "../DESIGN.md"), "\n## Map\n")
	table, _, _ = strings.Cut(table, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) (names []string) {
		for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
			names = append(names, m[1])
		}
		return names
	}
	for _, line := range strings.Split(table, "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.Contains(cells[1], "`") {
			rows = append(rows, row{names(cells[1]), names(cells[3])})
		}
	}
	if len(rows) == 0 {
		t.Fatal("DESIGN.md has no map")
	}
	return rows
}

// goList returns the imports of each of this module's packages that the map is about.
func goList(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", "e2e", "-json=ImportPath,Imports", "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		packages[path] = nil
		for _, i := range p.Imports {
			if name, ok := mapName(i); ok && !slices.Contains(packages[path], name) {
				packages[path] = append(packages[path], name)
			}
		}
	}
}

// mapName returns the map's name for an import, if it has one.
func mapName(path string) (name string, ok bool) {
	if name, ok := strings.CutPrefix(path, module+"/"); ok {
		return name, true
	}
	for prefix, name := range others {
		if strings.HasPrefix(path, prefix) {
			return name, true
		}
	}
	return "", false
}
