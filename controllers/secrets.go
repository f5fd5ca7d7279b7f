package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// secretStore holds the content of the Secrets that StreamProcessors refer to,
// and of no others: of those the cache has the metadata only.
type secretStore struct {
	mu      sync.Mutex
	content map[types.NamespacedName]secretContent // guarded by mu
}

type secretContent struct {
	version string // the resourceVersion
	data    map[string][]byte
}

// secret returns the data of a Secret, nil if there is none.
func (r *Reconciler) secret(ctx context.Context, key types.NamespacedName) (map[string][]byte, error) {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	if err := r.Client.Get(ctx, key, meta); apierrors.IsNotFound(err) {
		r.secrets.forget(key)
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("look up Secret %s: %w", key.Name, err)
	}
	if data := r.secrets.get(key, meta.ResourceVersion); data != nil {
		return data, nil
	}
	secret := &corev1.Secret{}
	if err := r.Reader.Get(ctx, key, secret); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read Secret %s: %w", key.Name, err)
	} else if err != nil {
		return nil, nil
	}
	if secret.Data == nil {
		secret.Data = map[string][]byte{}
	}
	r.secrets.put(key, secret)
	return secret.Data, nil
}

func (c *secretStore) get(key types.NamespacedName, version string) map[string][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.content[key]; known.version == version {
		return known.data
	}
	return nil
}

func (c *secretStore) put(key types.NamespacedName, secret *corev1.Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.content == nil {
		c.content = make(map[types.NamespacedName]secretContent)
	}
	c.content[key] = secretContent{secret.ResourceVersion, secret.Data}
}

func (c *secretStore) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.content, key)
}

// observeSecrets finds what the spec refers to. The hash is of what is used, not
// of the Secrets' versions: a label on a Secret is no reason to replace pods.
func (r *Reconciler) observeSecrets(ctx context.Context, s *scope) error {
	sum := sha256.New()
	uses := resources.Secrets(s.sp)
	for _, use := range uses {
		data, err := r.secret(ctx, types.NamespacedName{Namespace: s.sp.Namespace, Name: use.Name})
		if err != nil {
			return err
		}
		if data == nil {
			s.missesSecret("%s: there is no Secret %q: create it", use.Field, use.Name)
			continue
		}
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
	if len(uses) > 0 {
		s.observed.Secrets.Hash = hex.EncodeToString(sum.Sum(nil)[:8])
	}
	return nil
}

func (s *scope) missesSecret(format string, args ...any) {
	s.observed.Secrets.Missing = append(s.observed.Secrets.Missing, fmt.Sprintf(format, args...))
}
