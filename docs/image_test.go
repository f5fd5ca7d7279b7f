package docs_test

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// checkImage reads the archive that the guide builds, as docker load does.
func checkImage(t *testing.T, archive string) {
	t.Helper()
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/program"}) {
		t.Errorf("the image runs %v as %q", c.Entrypoint, c.User)
	}
	if layers := config.RootFS.DiffIDs; len(layers) != 2 {
		t.Errorf("the image has %d layers, want those of the certificates and the program", len(layers))
	}
}

// checkDockerfile carries out the Dockerfile of a folder as far as that goes without Docker:
// it runs the commands of the first stage in a copy of the folder, and looks for the files
// that the second stage takes.
func checkDockerfile(t *testing.T, folder string) {
	t.Helper()
	text := read(t, filepath.Join(folder, "Dockerfile"))
	if lines := strings.Count(text, "\n"); lines > 10 {
		t.Errorf("the Dockerfile has %d lines", lines)
	}
	// As for docker build, the copy has the folder and nothing else.
	source := filepath.Join(t.TempDir(), "src")
	if err := os.CopyFS(source, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	for _, run := range regexp.MustCompile(`(?m)^RUN (.*)$`).FindAllStringSubmatch(text, -1) {
		command := run[1]
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Dir = source
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	from := names(text, `(?m)^COPY --from=build /src/(\S+) /program$`)
	if len(from) != 1 {
		t.Fatalf("the Dockerfile copies %v to /program", from)
	}
	info, err := buildinfo.ReadFile(filepath.Join(source, from[0]))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range info.Settings {
		if s.Key == "CGO_ENABLED" && s.Value != "0" {
			t.Error("the program needs a C library, and the image has none")
		}
	}
	var entry []string
	if err := json.Unmarshal([]byte(names(text, `(?m)^ENTRYPOINT (.*)$`)[0]), &entry); err != nil || !slices.Equal(entry, []string{"/program"}) {
		t.Errorf("the image runs %v, %v", entry, err)
	}
	if user := names(text, `(?m)^USER (.*)$`); !slices.Equal(user, []string{"65532:65532"}) {
		t.Errorf("the image runs as %v", user)
	}
}

// TestGoVersion: go.mod asks for a version of the language and not for a patch, so that
// modules on the SDK build with each toolchain of that version. The documents and
// Dockerfiles name the same version.
func TestGoVersion(t *testing.T) {
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)(\.0)?$`).FindStringSubmatch(read(t, "../go.mod"))
	if version == nil {
		t.Fatal("go.mod asks for a patch of Go")
	}
	for file, text := range map[string]string{
		guide:           "You need Go " + version[1] + " ",
		"../Dockerfile": "GO_IMAGE=golang:" + version[1] + "\n",
	} {
		if !strings.Contains(read(t, file), text) {
			t.Errorf("%s does not say %q", file, text)
		}
	}
	if !strings.Contains(read(t, guide), "FROM golang:"+version[1]+" AS build\n") {
		t.Errorf("the Dockerfile in %s does not begin with golang:%s", guide, version[1])
	}
}
