package image

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"path"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is the user of the pods, an ID that no machine uses otherwise.
const user = "65532:65532"

// The paths in the image, which are also in the Dockerfile.
const (
	programFile      = "program"
	certificatesFile = "etc/ssl/certs/ca-certificates.crt"
	billFile         = "usr/share/sbom/program.spdx.json"
)

// assemble builds an image. The certificates are a separate layer, which all images share.
func assemble(p Program, platform v1.Platform, b Binary, certificates, bill []byte) (v1.Image, error) {
	var layers []mutate.Addendum
	for _, files := range [][]file{
		{{name: certificatesFile, mode: 0o644, content: certificates}},
		{{name: billFile, mode: 0o644, content: bill}, {name: programFile, mode: 0o755, content: b.content}},
	} {
		layer, err := newLayer(files)
		if err != nil {
			return nil, err
		}
		layers = append(layers, mutate.Addendum{
			Layer:   layer,
			History: v1.History{CreatedBy: "millrace image build", Created: v1.Time{Time: b.time}, Comment: path.Base(files[0].name)},
		})
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.ConfigFile(base, &v1.ConfigFile{
		Created: v1.Time{Time: b.time}, OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
		RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: user, Entrypoint: []string{"/" + programFile}, WorkingDir: "/", Labels: labels(p, b),
		},
	})
	if err != nil {
		return nil, err
	}
	image, err = mutate.Append(image, layers...)
	if err != nil {
		return nil, err
	}
	return mutate.Annotations(image, labels(p, b)).(v1.Image), nil
}

// labels returns the labels of the image's configuration, which are also the annotations of its
// manifest. Some tools read the one, some the other.
func labels(p Program, b Binary) map[string]string {
	const prefix = "org.opencontainers.image."
	all := map[string]string{
		prefix + "title":    p.Title,
		prefix + "version":  p.Version,
		prefix + "source":   p.Source,
		prefix + "licenses": p.License,
		prefix + "vendor":   p.Vendor,
		prefix + "created":  b.time.Format(time.RFC3339),
		prefix + "revision": b.id,
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

type file struct {
	name    string
	mode    int64
	content []byte
}

// newLayer returns a layer with the files and their parent folders. It contains nothing that
// depends on the machine or the time of the build.
func newLayer(files []file) (v1.Layer, error) {
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	done := map[string]bool{}
	for _, f := range files {
		if err := addFolders(w, path.Dir(f.name), done); err != nil {
			return nil, err
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

func addFolders(w *tar.Writer, dir string, done map[string]bool) error {
	if dir == "." || done[dir] {
		return nil
	}
	if err := addFolders(w, path.Dir(dir), done); err != nil {
		return err
	}
	done[dir] = true
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: time.Unix(0, 0)})
}
