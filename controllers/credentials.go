package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// contents are those of the Secrets and ConfigMaps that a StreamProcessor refers to. Of
// all others the operator has the metadata only.
type contents map[reference]content

type reference struct{ kind, name string }

type content struct {
	version string            // the object's resourceVersion
	data    map[string][]byte // nil if there is no such object
}

// content returns the content of a Secret or ConfigMap. It reads the object only if its
// version differs from the known one.
func (r *references) content(ctx context.Context, namespace string, ref reference, known content) (content, error) {
	key := types.NamespacedName{Namespace: namespace, Name: ref.name}
	meta := metadataOf(ref.kind)
	err := r.metadata.Get(ctx, key, meta)
	if err == nil && known.data != nil && known.version == meta.ResourceVersion {
		return known, nil
	}
	var found content
	if err == nil {
		found, err = r.readContent(ctx, key, ref.kind)
	}
	switch {
	case apierrors.IsNotFound(err):
		return content{}, nil
	case err != nil:
		return content{}, fmt.Errorf("read %s %s: %w", ref.kind, ref.name, err)
	}
	return found, nil
}

func (r *references) readContent(ctx context.Context, key types.NamespacedName, kind string) (content, error) {
	data := map[string][]byte{}
	var object client.Object
	var err error
	if kind == resources.ConfigMapKind {
		configMap := &corev1.ConfigMap{}
		object, err = configMap, r.reader.Get(ctx, key, configMap)
		for name, text := range configMap.Data {
			data[name] = []byte(text)
		}
		maps.Copy(data, configMap.BinaryData)
	} else {
		secret := &corev1.Secret{}
		object, err = secret, r.reader.Get(ctx, key, secret)
		maps.Copy(data, secret.Data)
	}
	return content{object.GetResourceVersion(), data}, err
}

// observe reads the Secrets and ConfigMaps that the spec refers to. The hash is of the
// keys that the pods use, not of the objects' versions: a new label on a Secret is no
// reason to replace pods.
func (r *references) observe(ctx context.Context, s *scope) error {
	sum := sha256.New()
	wanted, _ := resources.Credentials(s.sp)
	known, found := r.kept.get(s.key), contents{}
	missing := func(format string, args ...any) {
		s.observed.Credentials.Missing = append(s.observed.Credentials.Missing, fmt.Sprintf(format, args...))
	}
	for _, c := range wanted {
		ref := reference{c.Kind, c.Name}
		if _, ok := found[ref]; !ok {
			content, err := r.content(ctx, s.sp.Namespace, ref, (*known)[ref])
			if err != nil {
				return err
			}
			found[ref] = content
		}
		data := found[ref].data
		if data == nil {
			missing("%s: there is no %s %q: create it", c.Field, c.Kind, c.Name)
			continue
		}
		value := data[c.Key]
		if len(value) == 0 {
			missing("%s: %s %q has no key %q: add it", c.Field, c.Kind, c.Name, c.Key)
		}
		sum.Write(fmt.Appendf(nil, "%s %d ", c.Field, len(value)))
		sum.Write(value)
		s.files[c.String()] = value
	}
	*known = found
	if len(wanted) > 0 {
		s.observed.Credentials.Hash = hex.EncodeToString(sum.Sum(nil)[:8])
	}
	return nil
}
