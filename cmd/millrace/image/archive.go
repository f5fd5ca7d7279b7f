package image

import (
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// WriteArchive writes an OCI archive with an image, or with an index of several images, and
// returns its digest. The file appears under its name only when it is complete.
func WriteArchive(file string, tag name.Tag, images []Image) (v1.Hash, error) {
	dir, err := os.MkdirTemp("", "millrace-image-")
	if err != nil {
		return v1.Hash{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	digest, err := writeLayout(dir, tag, images)
	if err != nil {
		return v1.Hash{}, err
	}
	if err := writeDockerManifest(dir, tag, images[0]); err != nil {
		return v1.Hash{}, err
	}
	unfinished := file + ".new"
	if err := pack(unfinished, dir); err != nil {
		_ = os.Remove(unfinished)
		return v1.Hash{}, err
	}
	return digest, os.Rename(unfinished, file)
}

func writeLayout(dir string, tag name.Tag, images []Image) (v1.Hash, error) {
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	// containerd reads one of these annotations, other tools read the other.
	names := layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": fullName(tag),
		"io.containerd.image.name":          fullName(tag),
	})
	if len(images) == 1 {
		if err := at.AppendImage(images[0].Image, names, layout.WithPlatform(images[0].Platform)); err != nil {
			return v1.Hash{}, err
		}
		return images[0].Digest()
	}
	index := indexOf(images)
	if err := at.AppendIndex(index, names); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

// indexOf returns an index of images for several platforms.
func indexOf(images []Image) v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: images[i].Image, Descriptor: v1.Descriptor{Platform: &images[i].Platform},
		})
	}
	return index
}
