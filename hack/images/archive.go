package main

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// writeArchive writes an OCI archive with an image, or with an index of several images, and
// returns its digest. The file appears under its name only when it is complete.
func writeArchive(name, tag string, images []v1.Image, platforms []v1.Platform) (v1.Hash, error) {
	dir, err := os.MkdirTemp("", "images-")
	if err != nil {
		return v1.Hash{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	digest, err := writeLayout(dir, tag, images, platforms)
	if err != nil {
		return v1.Hash{}, err
	}
	unfinished := name + ".new"
	if err := pack(unfinished, dir); err != nil {
		return v1.Hash{}, err
	}
	return digest, os.Rename(unfinished, name)
}

func writeLayout(dir, tag string, images []v1.Image, platforms []v1.Platform) (v1.Hash, error) {
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	// containerd reads one of these annotations, other tools read the other.
	names := layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": tag,
		"io.containerd.image.name":          tag,
	})
	if len(images) == 1 {
		if err := at.AppendImage(images[0], names, layout.WithPlatform(platforms[0])); err != nil {
			return v1.Hash{}, err
		}
		return images[0].Digest()
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platforms[i]}})
	}
	if err := at.AppendIndex(index, names); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// pack writes a folder to a tar file. The same folder always gives the same file.
func pack(name, dir string) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	w := tar.NewWriter(out)
	// WalkDir visits the files in the order of their names.
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		return add(w, dir, file, entry)
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return out.Close()
}

func add(w *tar.Writer, dir, file string, entry fs.DirEntry) error {
	name, err := filepath.Rel(dir, file)
	if err != nil {
		return err
	}
	header := &tar.Header{Typeflag: tar.TypeDir, Name: filepath.ToSlash(name) + "/", Mode: 0o755, ModTime: time.Unix(0, 0)}
	if entry.IsDir() {
		return w.WriteHeader(header)
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header.Typeflag, header.Name, header.Mode, header.Size = tar.TypeReg, filepath.ToSlash(name), 0o644, info.Size()
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	if _, err := io.Copy(w, content); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}
