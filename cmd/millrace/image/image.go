// Package image builds container images of Go programs, without a daemon, root or a base
// image. An image contains a static program, the certificates of public authorities and the
// program's bill of materials. The same source and toolchain give the same image, byte for
// byte. Millrace's images and those of `millrace image build` are made here.
package image

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Program describes a program in the labels of its image and in its bill of materials.
// Vendor, Source and License may be empty.
type Program struct {
	Name    string // the last part of the image's name
	Title   string
	Version string
	Vendor  string
	Source  string // an address
	License string // an SPDX identifier
}

// Source is a main package of a Go module.
type Source struct {
	Program Program
	// Dir is a folder in the module. The package's path is relative to it.
	Dir     string
	Package string
	// Certificates are the authorities that the program may trust, in PEM.
	Certificates []byte
	// Messages gets what the Go toolchain prints.
	Messages io.Writer
}

// Image is an image for one platform.
type Image struct {
	v1.Image
	Platform v1.Platform
	Bill     []byte // the program's bill of materials, which the image contains too
}

// Build builds an image for each platform.
func (s *Source) Build(ctx context.Context, platforms []v1.Platform) ([]Image, error) {
	rev, err := FindRevision(s.Dir)
	if err != nil {
		return nil, err
	}
	var images []Image
	for _, platform := range platforms {
		b, err := s.compile(ctx, rev, platform)
		if err != nil {
			return nil, err
		}
		built, err := s.pack(b, platform)
		if err != nil {
			return nil, err
		}
		images = append(images, built)
	}
	return images, nil
}

func (s *Source) pack(b Binary, platform v1.Platform) (Image, error) {
	bill, err := BillOfMaterials(s.Program, b)
	if err != nil {
		return Image{}, err
	}
	content, err := assemble(s.Program, platform, b, s.Certificates, bill)
	return Image{Image: content, Platform: platform, Bill: bill}, err
}
