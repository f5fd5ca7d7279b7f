package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Push writes an image, or an index of several images, to the registry that its name begins
// with, and returns its digest. The credentials are those of Docker's or Podman's
// configuration.
func Push(ctx context.Context, tag name.Tag, images []Image) (v1.Hash, error) {
	var content remote.Taggable = images[0].Image
	digest, err := images[0].Digest()
	if len(images) > 1 {
		index := indexOf(images)
		content = index
		digest, err = index.Digest()
	}
	if err == nil {
		err = remote.Push(tag, content, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("push %s: %w%s", tag, err, advice(tag, err))
	}
	return digest, nil
}

// advice says what to do when the registry wants other credentials.
func advice(tag name.Tag, err error) string {
	var refused *transport.Error
	if errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden) {
		return ": log in with docker login " + tag.RegistryStr()
	}
	return ""
}
