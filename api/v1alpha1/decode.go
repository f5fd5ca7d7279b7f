package v1alpha1

import (
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/json"
)

// Decode reads a manifest in YAML or JSON that holds one StreamProcessor, and fills
// absent fields with their defaults. It returns an error for unknown or duplicate
// fields, for other kinds of object, for a second document, and for a template that
// can't be merged into a pod. It checks the types of the other fields, but not their
// values.
func Decode(manifest []byte) (*StreamProcessor, error) {
	documents, err := splitDocuments(manifest)
	if err != nil {
		return nil, err
	}
	switch len(documents) {
	case 0:
		return nil, errors.New("the manifest is empty: it must hold a " + Kind)
	case 1:
		return decodeObject(documents[0])
	default:
		return nil, fmt.Errorf("the manifest holds %d documents: it must hold one %s and nothing else", len(documents), Kind)
	}
}

// UnmarshalStrict decodes JSON. It returns an error that names each unknown and each duplicate
// field, or the first value of the wrong type, by its path.
func UnmarshalStrict(tree []byte, into any) error {
	strict, err := json.UnmarshalStrict(tree, into)
	if err != nil {
		return locate(tree, into, err)
	}
	return errors.Join(strict...)
}

func decodeObject(tree []byte) (*StreamProcessor, error) {
	if err := checkKind(tree); err != nil {
		return nil, err
	}
	sp := &StreamProcessor{}
	if err := checkQuantities("", tree, reflect.TypeOf(*sp)); err != nil {
		return nil, err
	}
	strict, err := json.UnmarshalStrict(tree, sp)
	if err != nil {
		return nil, locate(tree, sp, err)
	}
	for i := range strict {
		strict[i] = withNeighbours(strict[i])
	}
	_, err = sp.Spec.Template.PodSpec()
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, err
	}
	sp.Default()
	return sp, nil
}

func checkKind(tree []byte) error {
	var meta metav1.TypeMeta
	if err := json.UnmarshalCaseSensitivePreserveInts(tree, &meta); err != nil {
		return fmt.Errorf("not a Kubernetes object, which has apiVersion, kind, metadata and spec: %w", err)
	}
	if meta.Kind != Kind {
		return fmt.Errorf("kind is %q: it must be %s", meta.Kind, Kind)
	}
	if version := GroupVersion.String(); meta.APIVersion != version {
		return fmt.Errorf("apiVersion is %q: it must be %s", meta.APIVersion, version)
	}
	return nil
}
