package worker_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the public API to testdata/api")

// notPublic are packages that Go lets others import, but that belong to this
// repository's tests and benchmarks. They promise nothing.
var notPublic = []string{"bench", "kafka/kafkatest", "sdks/protocol/protocoltest"}

// TestPublicAPI compares the exported names of the worker's public packages with
// testdata/api, so that none is added, changed or removed by accident. A change that is
// meant is written there by:
//
//	go test ./worker -run TestPublicAPI -update
func TestPublicAPI(t *testing.T) {
	const golden = "testdata/api"
	packages := publicPackages(t)
	if *update {
		if err := os.RemoveAll(golden); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(golden, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, dir := range packages {
		got := exported(t, dir)
		file := filepath.Join(golden, name)
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s is a new public package: move it to worker/internal, or see this test's comment", dir)
			continue
		}
		for _, line := range missing(got, want) {
			t.Errorf("%s exports something new or changed, see this test's comment: %s", dir, line)
		}
		for _, line := range missing(want, got) {
			t.Errorf("%s does not export this any more: %s", dir, line)
		}
	}
	files, err := os.ReadDir(golden)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := packages[f.Name()]; !ok {
			t.Errorf("%s/%s is about a package that is not there", golden, f.Name())
		}
	}
}

// publicPackages returns the directories of the public packages by the names of their
// golden files.
func publicPackages(t *testing.T) map[string]string {
	t.Helper()
	packages := map[string]string{}
	err := filepath.WalkDir(".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "internal" || d.Name() == "testdata" || slices.Contains(notPublic, filepath.ToSlash(dir)) {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(dir, 0)
		if err != nil || p.Name == "main" {
			return nil // no Go files, or a program
		}
		name := strings.ReplaceAll(filepath.ToSlash(filepath.Join("worker", dir)), "/", "-")
		packages[name+".txt"] = dir
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// exported returns the exported declarations of a package, in the order of their
// names, without comments and bodies.
func exported(t *testing.T, dir string) []byte {
	t.Helper()
	p, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declarations []string
	for _, file := range p.GoFiles {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(dir, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		iotas := map[ast.Spec]int{}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.GenDecl); ok {
				for i, spec := range d.Specs {
					iotas[spec] = i
				}
			}
		}
		ast.FileExports(f)
		for _, d := range f.Decls {
			declarations = append(declarations, declared(t, set, d, iotas)...)
		}
	}
	slices.Sort(declarations)
	return []byte(strings.Join(declarations, "\n") + "\n")
}

// declared returns the text of each name that a declaration declares.
func declared(t *testing.T, set *token.FileSet, d ast.Decl, iotas map[ast.Spec]int) (texts []string) {
	t.Helper()
	text := func(prefix string, node any) {
		var b bytes.Buffer
		if err := (&printer.Config{Mode: printer.RawFormat}).Fprint(&b, set, node); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, prefix+oneLine(b.String()))
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Body = nil; d.Recv == nil || exportedReceiver(d.Recv.List[0].Type) {
			text("", d)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				if d.Tok == token.VAR {
					spec.Values = nil // a variable's value is no promise
				}
				text(d.Tok.String()+" ", spec)
				if d.Tok == token.CONST && spec.Values == nil {
					texts[len(texts)-1] += fmt.Sprintf(" // iota is %d", iotas[spec])
				}
			case *ast.TypeSpec:
				text("type ", spec)
			}
		}
	}
	return texts
}

func exportedReceiver(typ ast.Expr) bool {
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	name, ok := typ.(*ast.Ident)
	return !ok || name.IsExported()
}

// oneLine separates the fields of a struct and the methods of an interface by
// semicolons.
func oneLine(text string) string {
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		line = strings.Join(strings.Fields(line), " ")
		switch s := b.String(); {
		case line == "" || s == "":
		case strings.HasSuffix(s, "(") || strings.HasPrefix(line, ")"):
		case strings.HasSuffix(s, "{") || strings.HasSuffix(s, ",") || strings.HasPrefix(line, "}"):
			b.WriteByte(' ')
		default:
			b.WriteString("; ")
		}
		b.WriteString(line)
	}
	return b.String()
}

// missing returns the lines of a that b does not have.
func missing(a, b []byte) (lines []string) {
	have := strings.Split(string(b), "\n")
	for _, line := range strings.Split(string(a), "\n") {
		if !slices.Contains(have, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
