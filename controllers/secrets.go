package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// secretContents are those that a StreamProcessor refers to, by the Secrets' names:
// of all others the cache has the metadata only.
type secretContents map[string]secretContent

type secretContent struct {
	version string // the resourceVersion
	data    map[string][]byte
}

// secret returns the content of a Secret, with no data if there is none. It reads
// the Secret only if it is not the one that is known.
func (r *Reconciler) secret(ctx context.Context, key types.NamespacedName, known secretContent) (secretContent, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	err := r.Client.Get(ctx, key, meta)
	if err == nil && known.data != nil && known.version == meta.ResourceVersion {
		return known, nil
	}
	secret := &corev1.Secret{}
	if err == nil {
		err = r.Reader.Get(ctx, key, secret)
	}
	switch {
	case apierrors.IsNotFound(err):
		return secretContent{}, nil
	case err != nil:
		return secretContent{}, fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	content := secretContent{secret.ResourceVersion, secret.Data}
	if content.data == nil {
		content.data = map[string][]byte{}
	}
	return content, nil
}

// observeSecrets finds what the spec refers to. The hash is of what is used, not
// of the Secrets' versions: a label on a Secret is no reason to replace pods.
func (r *Reconciler) observeSecrets(ctx context.Context, s *scope) error {
	sum := sha256.New()
	uses := resources.Secrets(s.sp)
	known, found := s.memory.secrets, secretContents{}
	for _, use := range uses {
		content, err := r.secret(ctx, types.NamespacedName{Namespace: s.sp.Namespace, Name: use.Name}, known[use.Name])
		if err != nil {
			return err
		}
		data := content.data
		if data == nil {
			s.missesSecret("%s: there is no Secret %q: create it", use.Field, use.Name)
			continue
		}
		found[use.Name] = content
		for _, key := range use.Keys {
			value, ok := data[key]
			if !ok || len(value) == 0 {
				s.missesSecret("%s: Secret %q has no %q: add it", use.Field, use.Name, key)
			}
			sum.Write(fmt.Appendf(nil, "%s %s %d ", use.Field, key, len(value)))
			sum.Write(value)
			s.credentials[use.Field+"/"+key] = value
		}
	}
	s.memory.secrets = found
	if len(uses) > 0 {
		s.observed.Secrets.Hash = hex.EncodeToString(sum.Sum(nil)[:8])
	}
	return nil
}

func (s *scope) missesSecret(format string, args ...any) {
	s.observed.Secrets.Missing = append(s.observed.Secrets.Missing, fmt.Sprintf(format, args...))
}
