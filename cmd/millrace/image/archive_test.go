package image

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func tagged(t *testing.T, text string) name.Tag {
	t.Helper()
	tag, err := ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	return tag
}

// TestArchiveIsReproducible checks that the same program gives the same bytes.
func TestArchiveIsReproducible(t *testing.T) {
	var archives [][]byte
	for range 2 {
		file := filepath.Join(t.TempDir(), "worker.tar")
		if _, err := WriteArchive(file, tagged(t, "registry.example/team/worker:1.2.3"), []Image{assembled(t, amd64)}); err != nil {
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

// TestArchiveNames checks the names by which container runtimes find an image.
func TestArchiveNames(t *testing.T) {
	const text, local = "registry.example/team/worker:1.2.3", "worker:1.2.3"
	for name, c := range map[string]struct {
		name, want string
		images     []Image
	}{
		"one platform":           {text, text, []Image{assembled(t, amd64)}},
		"many platforms":         {text, text, []Image{assembled(t, amd64), assembled(t, arm64)}},
		"a name of Docker's":     {local, "docker.io/library/worker:1.2.3", []Image{assembled(t, amd64)}},
		"a registry on a port":   {"localhost:5000/w:1", "localhost:5000/w:1", []Image{assembled(t, amd64)}},
		"a name below docker.io": {"docker.io/team/w:1", "docker.io/team/w:1", []Image{assembled(t, amd64)}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			digest, err := writeLayout(dir, tagged(t, c.name), c.images)
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
				if got := manifest.Manifests[0].Annotations[name]; got != c.want {
					t.Errorf("%s is %q, want %q", name, got, c.want)
				}
			}
		})
	}
}

// TestArchiveForDocker reads an archive as docker load does. Of several images it finds the
// first.
func TestArchiveForDocker(t *testing.T) {
	for text, images := range map[string][]Image{
		"registry.example/team/worker:1.2.3": {assembled(t, amd64)},
		"worker:1.2.3":                       {assembled(t, arm64), assembled(t, amd64)},
	} {
		file, tag := filepath.Join(t.TempDir(), "worker.tar"), tagged(t, text)
		if _, err := WriteArchive(file, tag, images); err != nil {
			t.Fatal(err)
		}
		loaded, err := tarball.ImageFromPath(file, &tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(loaded); err != nil {
			t.Error(err)
		}
		got, err := loaded.ConfigName()
		if err != nil {
			t.Fatal(err)
		}
		if want, err := images[0].ConfigName(); got != want || err != nil {
			t.Errorf("docker load finds the configuration %v, want %v; %v", got, want, err)
		}
	}
}

// TestNoHalfArchive: an archive that can't be written leaves no file.
func TestNoHalfArchive(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "missing", "worker.tar")
	if _, err := WriteArchive(file, tagged(t, "w:1"), []Image{assembled(t, amd64)}); err == nil {
		t.Error("got no error for a file in a folder that does not exist")
	}
	if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// TestTheFormerArchiveStays: a failure does not touch what stands under the archive's name.
func TestTheFormerArchiveStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "worker.tar")
	if err := os.WriteFile(file, []byte("former"), 0o644); err != nil {
		t.Fatal(err)
	}
	// A folder is in the way of the new file.
	if err := os.Mkdir(file+".new", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteArchive(file, tagged(t, "w:1"), []Image{assembled(t, amd64)}); err == nil {
		t.Error("got no error")
	}
	if content, err := os.ReadFile(file); string(content) != "former" || err != nil {
		t.Errorf("the former archive is %d bytes, %v", len(content), err)
	}
}
