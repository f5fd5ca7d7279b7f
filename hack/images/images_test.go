package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	spdxjson "github.com/spdx/tools-golang/json"
)

const tag = "registry.example/team/worker:1.2.3"

var amd64 = v1.Platform{OS: "linux", Architecture: "amd64"}

func sample() (program, binary) {
	return program{archive: "worker", repository: "worker", pkg: "./cmd/worker", title: "Worker"},
		binary{
			content:  []byte("a program"),
			revision: revision{id: "abc", time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
			info: &debug.BuildInfo{
				GoVersion: "go1.26.8", Path: "example.com/m/cmd/worker",
				Main: debug.Module{Path: "example.com/m", Version: "(devel)"},
				Deps: []*debug.Module{
					{Path: "example.com/Lib", Version: "v1.0.0", Sum: "h1:x"},
					{Path: "example.com/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/new", Version: "v2.0.0"}},
				},
			},
		}
}

func newImage(t *testing.T, platform v1.Platform) v1.Image {
	t.Helper()
	p, b := sample()
	image, err := assemble(p, "1.2.3", platform, b, []byte("certificates"), []byte("bill"))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestImage(t *testing.T) {
	image := newImage(t, amd64)
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
	want := map[string]string{"version": "1.2.3", "revision": "abc", "licenses": "Apache-2.0", "created": "2026-01-02T03:04:05Z", "source": source}
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

// TestArchiveIsReproducible checks that the same program gives the same bytes.
func TestArchiveIsReproducible(t *testing.T) {
	var archives [][]byte
	for range 2 {
		file := filepath.Join(t.TempDir(), "worker.tar")
		if _, err := writeArchive(file, tag, []v1.Image{newImage(t, amd64)}, []v1.Platform{amd64}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, content)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one program differ")
	}
}

func TestArchiveNames(t *testing.T) {
	arm64 := v1.Platform{OS: "linux", Architecture: "arm64"}
	for name, platforms := range map[string][]v1.Platform{"one": {amd64}, "many": {amd64, arm64}} {
		t.Run(name, func(t *testing.T) {
			var images []v1.Image
			for _, platform := range platforms {
				images = append(images, newImage(t, platform))
			}
			dir := t.TempDir()
			digest, err := writeLayout(dir, tag, images, platforms)
			if err != nil {
				t.Fatal(err)
			}
			index, err := layout.ImageIndexFromPath(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Index(index); err != nil {
				t.Error(err)
			}
			manifest, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			if len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest != digest {
				t.Fatalf("the index has %v, want only %v", manifest.Manifests, digest)
			}
			for _, name := range []string{"org.opencontainers.image.ref.name", "io.containerd.image.name"} {
				if got := manifest.Manifests[0].Annotations[name]; got != tag {
					t.Errorf("%s is %q, want %q", name, got, tag)
				}
			}
		})
	}
}

func TestBillOfMaterials(t *testing.T) {
	p, b := sample()
	content, err := billOfMaterials(p, "1.2.3", b)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var locators []string
	for _, pkg := range doc.Packages {
		locators = append(locators, pkg.PackageExternalReferences[0].Locator)
	}
	want := []string{
		"pkg:golang/example.com/m", "pkg:golang/stdlib@1.26.8",
		"pkg:golang/example.com/lib@v1.0.0", "pkg:golang/example.com/new@v2.0.0",
	}
	if !slices.Equal(locators, want) {
		t.Errorf("the document lists %v, want %v", locators, want)
	}
	if len(doc.Relationships) != len(doc.Packages) {
		t.Errorf("the document relates %d of %d packages", len(doc.Relationships), len(doc.Packages))
	}
}

// TestBillOfAProgram lists the materials of this test's program.
func TestBillOfAProgram(t *testing.T) {
	file, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := printBill(&out, options{module: "../..", version: "1.2.3", bill: file}); err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Base(file) + "-1.2.3"; doc.DocumentName != want {
		t.Errorf("the document is %s, want %s", doc.DocumentName, want)
	}
	for _, p := range doc.Packages {
		if strings.HasSuffix(p.PackageName, "google/go-containerregistry") {
			return
		}
	}
	t.Error("the document does not list a module that the program has")
}

func TestCertificates(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCertificates(empty); err == nil || !strings.Contains(err.Error(), "contains no certificate") {
		t.Errorf("got %v for a file without certificates, want an error that says so", err)
	}
	if _, err := readCertificates(empty + ".missing"); err == nil || !strings.Contains(err.Error(), "--certificates") {
		t.Errorf("got %v for a missing file, want an error that names the flag", err)
	}
}

// TestPublicAuthoritiesArePinned checks that the list has the authorities that most brokers and
// registries use, and does not depend on the machine.
func TestPublicAuthoritiesArePinned(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "/nowhere")
	pinned, err := readCertificates("")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rest := pinned; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, certificate.Subject.CommonName)
	}
	if len(names) < 100 {
		t.Errorf("got %d authorities", len(names))
	}
	for _, name := range []string{"ISRG Root X1", "Amazon Root CA 1", "GTS Root R1", "DigiCert Global Root G2"} {
		if !slices.Contains(names, name) {
			t.Errorf("the authority %s is missing", name)
		}
	}
	out := t.TempDir()
	if err := run(options{only: "certificates", out: out}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(out, "ca-certificates.crt"))
	if err != nil || !bytes.Equal(written, pinned) {
		t.Errorf("the file for other builders: %d bytes, want %d; %v", len(written), len(pinned), err)
	}
}

// TestProgramsAreThere checks that the packages of the images exist.
func TestProgramsAreThere(t *testing.T) {
	for _, p := range programs {
		if _, err := os.Stat(filepath.Join("../..", p.pkg, "main.go")); err != nil {
			t.Error(err)
		}
	}
}

func TestRevision(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "60")
	rev, err := findRevision(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if rev.id != "" || !rev.time.Equal(time.Unix(60, 0)) {
		t.Errorf("got the revision %+v outside of version control", rev)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "today")
	if _, err := findRevision(t.TempDir()); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("got %v, want an error that names SOURCE_DATE_EPOCH", err)
	}
}
