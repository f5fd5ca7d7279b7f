package image

import (
	"archive/tar"
	"errors"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

var (
	amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 = v1.Platform{OS: "linux", Architecture: "arm64"}
)

func sample() (Program, Binary) {
	return Program{Name: "worker", Title: "Worker", Version: "1.2.3", Source: "https://example.com/source", License: "MIT"},
		Binary{
			content:  []byte("a program"),
			Revision: Revision{id: "abc", time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			info: &debug.BuildInfo{
				GoVersion: "go1.26.8", Path: "example.com/m/cmd/worker",
				Main: debug.Module{Path: "example.com/m", Version: "(devel)"},
				Deps: []*debug.Module{
					{Path: "example.com/Lib", Version: "v1.0.0", Sum: "h1:x"},
					{Path: "example.com/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/new", Version: "v2.0.0"}},
					{Path: "example.com/local", Version: "v3.0.0", Replace: &debug.Module{Path: "../local", Version: "(devel)"}},
				},
			},
		}
}

func assembled(t *testing.T, platform v1.Platform) Image {
	t.Helper()
	p, b := sample()
	content, err := assemble(p, platform, b, []byte("certificates"), []byte("bill"))
	if err != nil {
		t.Fatal(err)
	}
	return Image{Image: content, Platform: platform}
}

func TestImage(t *testing.T) {
	image := assembled(t, amd64)
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/program"}) {
		t.Errorf("the image runs %v as %q", config.Config.Entrypoint, config.Config.User)
	}
	if !config.Created.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("the image was created at %v, want the time of the commit", config.Created)
	}
	want := map[string]string{"version": "1.2.3", "revision": "abc", "licenses": "MIT", "created": "2026-01-02T03:04:05Z", "source": "https://example.com/source", "vendor": ""}
	for name, value := range want {
		if got := config.Config.Labels["org.opencontainers.image."+name]; got != value {
			t.Errorf("the label %s is %q, want %q", name, got, value)
		}
	}
	wantFiles := map[string]int64{"etc/ssl/certs/ca-certificates.crt": 0o644, "program": 0o755, "usr/share/sbom/program.spdx.json": 0o644}
	if files := filesOf(t, image); !maps.Equal(files, wantFiles) {
		t.Errorf("the files are %v, want %v", files, wantFiles)
	}
}

func filesOf(t *testing.T, image v1.Image) map[string]int64 {
	t.Helper()
	files := map[string]int64{}
	content := mutate.Extract(image)
	defer func() { _ = content.Close() }()
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = header.Mode
		}
	}
}
