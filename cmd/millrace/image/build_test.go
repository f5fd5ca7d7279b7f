package image

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// files are a module with a program, and another module beside it that the program uses.
var files = map[string]string{
	"mine/go.mod": "module example.com/mine\n\ngo 1.26\n\n" +
		"require example.com/words v0.0.0\n\nreplace example.com/words => ../words\n",
	"mine/cmd/mine/main.go": "package main\n\nimport \"example.com/words\"\n\nfunc main() { println(words.First) }\n",
	"mine/rules/rules.go":   "package rules\n",
	"mine/broken/main.go":   "package main\n\nfunc main() { missing() }\n",
	"words/go.mod":          "module example.com/words\n\ngo 1.26\n",
	"words/words.go":        "package words\n\nconst First = \"hello\"\n",
}

// module writes the files to a new folder, and returns the one of the program's module.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "mine")
}

func build(t *testing.T, platforms ...v1.Platform) []Image {
	t.Helper()
	var messages bytes.Buffer
	s := Source{
		Program: Program{Name: "mine", Title: "mine", Version: "1.0"},
		Dir:     module(t), Package: "./cmd/mine", Certificates: []byte("certificates"), Messages: &messages,
	}
	images, err := s.Build(t.Context(), platforms)
	if err != nil {
		t.Fatalf("%v\n%s", err, messages.String())
	}
	return images
}

// TestBuild builds a program for two platforms, looks at the programs in the images, and runs
// the one for this machine.
func TestBuild(t *testing.T) {
	machines := map[string]elf.Machine{}
	for _, image := range build(t, amd64, arm64) {
		program := contentOf(t, image, programFile)
		binary, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range binary.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s: the program is not static", image.Platform)
			}
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Architecture != image.Platform.Architecture || config.OS != image.Platform.OS {
			t.Errorf("the image for %s says that it is for %s/%s", image.Platform, config.OS, config.Architecture)
		}
		if bill := contentOf(t, image, billFile); !bytes.Equal(bill, image.Bill) || !bytes.Contains(bill, []byte("example.com/words")) {
			t.Errorf("%s: the bill of materials does not list the other module", image.Platform)
		}
		if image.Platform.OS == runtime.GOOS && image.Platform.Architecture == runtime.GOARCH {
			runs(t, program)
		}
		machines[config.Architecture] = binary.Machine
	}
	if machines["amd64"] != elf.EM_X86_64 || machines["arm64"] != elf.EM_AARCH64 {
		t.Errorf("the programs are for %v", machines)
	}
}

func runs(t *testing.T, program []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), file).CombinedOutput(); string(out) != "hello\n" || err != nil {
		t.Errorf("the program prints %q, %v", out, err)
	}
}

// contentOf returns a file of an image.
func contentOf(t *testing.T, image v1.Image, name string) []byte {
	t.Helper()
	all := mutate.Extract(image)
	defer func() { _ = all.Close() }()
	for r := tar.NewReader(all); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatalf("the image has no file %s", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Name != name {
			continue
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
}

// TestBuildIsReproducible builds the same source in two folders.
func TestBuildIsReproducible(t *testing.T) {
	var digests []v1.Hash
	for range 2 {
		digest, err := build(t, amd64)[0].Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest)
	}
	if digests[0] != digests[1] {
		t.Errorf("the digests are %v", digests)
	}
}

func TestBuildErrors(t *testing.T) {
	for name, c := range map[string]struct {
		pkg, path, want, messages string
		platform                  v1.Platform
	}{
		"a library":            {pkg: "./rules", want: "./rules is package rules: name a main package"},
		"many packages":        {pkg: "./...", want: "./... stands for 3 packages: name one main package"},
		"a mistake":            {pkg: "./broken", want: "go build ./broken for linux/amd64: exit status 1", messages: "main.go:3:15: undefined: missing"},
		"a folder without Go":  {pkg: "./cmd", want: "go list ./cmd for linux/amd64", messages: "no Go files"},
		"an unknown platform":  {pkg: "./cmd/mine", want: "for linux/z80", messages: "unsupported GOOS/GOARCH pair linux/z80", platform: v1.Platform{OS: "linux", Architecture: "z80"}},
		"no toolchain in PATH": {pkg: "./cmd/mine", path: t.TempDir(), want: "there is no go command in PATH: install Go"},
	} {
		t.Run(name, func(t *testing.T) {
			var messages bytes.Buffer
			s := Source{Dir: module(t), Package: c.pkg, Messages: &messages}
			if c.path != "" {
				t.Setenv("PATH", c.path)
			}
			platforms := []v1.Platform{amd64}
			if c.platform.OS != "" {
				platforms[0] = c.platform
			}
			_, err := s.Build(t.Context(), platforms)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if !strings.Contains(messages.String(), c.messages) {
				t.Errorf("the messages are\n%s\nwant %q", messages.String(), c.messages)
			}
		})
	}
}

// TestBuildSettings: the time zones are compiled in, and nothing of this machine is.
func TestBuildSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, contentOf(t, build(t, amd64)[0], programFile), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := ReadBinary(file, Revision{})
	if err != nil {
		t.Fatal(err)
	}
	var settings []string
	for _, s := range b.info.Settings {
		settings = append(settings, s.Key+"="+s.Value)
	}
	for _, want := range []string{"-tags=timetzdata", "-trimpath=true", "CGO_ENABLED=0"} {
		if !slices.Contains(settings, want) {
			t.Errorf("the program is built with %v, want %s", settings, want)
		}
	}
}
