package image

import (
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// ParseName reads the name of an image, which must have a tag.
func ParseName(text string) (name.Tag, error) {
	if scheme, rest, ok := strings.Cut(text, "://"); ok {
		return name.Tag{}, fmt.Errorf("%q begins with %s://: write %s", text, scheme, rest)
	}
	tag, err := name.NewTag(text, name.WithDefaultTag(""))
	if err == nil && tag.TagStr() == "" {
		err = fmt.Errorf("%q has no tag: write %s:1.0, for example", text, text)
	}
	return tag, err
}

// fullName returns the name as container runtimes write it. The library calls Docker's
// registry by another name.
func fullName(tag name.Tag) string {
	if rest, ok := strings.CutPrefix(tag.Name(), name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return tag.Name()
}
