package controllers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// appliedAnnotation holds a hash of what was applied last: what is no longer
// asked for does not show in the object otherwise.
const appliedAnnotation = "millrace.dev/applied"

// configuration is an object as it is applied: without nulls and the status, and with the hash of itself.
func configuration(object resources.Object) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %T: %w", object, err)
	}
	delete(fields, "status")
	u := &unstructured.Unstructured{Object: pruned(fields).(map[string]any)}
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	u.SetAnnotations(compared(annotations))
	content, err := json.Marshal(u.Object)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", u.GetName(), err)
	}
	sum := sha256.Sum256(content)
	annotations[appliedAnnotation] = hex.EncodeToString(sum[:8])
	u.SetAnnotations(annotations)
	return u, nil
}

// compared leaves out the note of the spec's generation: most changes of the spec are
// none of the Deployment, and no reason to write it.
func compared(annotations map[string]string) map[string]string {
	left := maps.Clone(annotations)
	delete(left, resources.GenerationAnnotation)
	return left
}

// pruned takes nulls away: applying them would only claim fields.
func pruned(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for k, v := range value {
			if v == nil {
				delete(value, k)
			} else {
				value[k] = pruned(v)
			}
		}
	case []any:
		for i := range value {
			value[i] = pruned(value[i])
		}
	}
	return value
}

// answer is what the API server made of an object when it was last applied.
type answer struct {
	hash       string // of what was applied
	generation int64  // 0 before the first, and for kinds of object that have none
}

func hashOf(wanted *unstructured.Unstructured) string {
	return wanted.GetAnnotations()[appliedAnnotation]
}

// upToDate reports whether applying wanted would change nothing: it was applied
// before, and all of it still is in live. In the steady state that is always so,
// and nothing is written.
//
// Admission may have changed what was applied, and would do so each time. Then
// live is as the API server answered last, whose generation tells of every change
// since, but for those of the metadata.
func upToDate(wanted *unstructured.Unstructured, live client.Object, last answer) (bool, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("convert %T: %w", live, err)
	}
	// What comes from the cache has no kind.
	fields["apiVersion"], fields["kind"] = wanted.GetAPIVersion(), wanted.GetKind()
	annotations := wanted.GetAnnotations()
	defer wanted.SetAnnotations(annotations)
	wanted.SetAnnotations(compared(annotations))
	if contains(fields, wanted.Object) {
		return true, nil
	}
	answered := last.generation > 0 && last == answer{hashOf(wanted), live.GetGeneration()}
	return answered && contains(fields["metadata"], wanted.Object["metadata"]), nil
}

// contains reports whether all of wanted is in live. Elements of lists may be
// anywhere in the list, and others beside them: some are of other managers.
func contains(live, wanted any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		fields, ok := live.(map[string]any)
		if !ok {
			return len(wanted) == 0 && live == nil // {} is kept as nothing
		}
		for k, v := range wanted {
			if !contains(fields[k], v) {
				return false
			}
		}
		return true
	case []any:
		elements, _ := live.([]any)
		return containsAll(elements, wanted)
	default:
		return reflect.DeepEqual(live, wanted)
	}
}

func containsAll(elements, wanted []any) bool {
	for i, v := range wanted {
		if i < len(elements) && contains(elements[i], v) {
			continue
		}
		found := false
		for _, e := range elements {
			found = found || contains(e, v)
		}
		if !found {
			return false
		}
	}
	return true
}
