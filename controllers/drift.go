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

// appliedAnnotation holds a hash of the configuration that was applied last. Only the
// hash shows that a field has left the configuration.
const appliedAnnotation = "millrace.dev/applied"

// configuration returns an object as it is applied: without nulls and status, and with
// its own hash.
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

// compared leaves out the note of the spec's generation: most changes of the spec do
// not change the Deployment, and are no reason to write it.
func compared(annotations map[string]string) map[string]string {
	left := maps.Clone(annotations)
	delete(left, resources.GenerationAnnotation)
	return left
}

// pruned removes nulls: applying them would only claim fields.
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

// answer is the API server's answer when an object was last applied.
type answer struct {
	hash       string // of the applied configuration
	generation int64  // 0 before the first answer, and for kinds without a generation
}

func hashOf(wanted *unstructured.Unstructured) string {
	return wanted.GetAnnotations()[appliedAnnotation]
}

// upToDate reports whether applying wanted would change nothing: it was applied
// before, and live still contains all of it. In the steady state that is always so,
// and the operator writes nothing.
//
// Admission may change each configuration that the operator applies. Then live never
// contains all of it, and upToDate compares generations: the one in the API server's
// last answer changes with every change but those of the metadata.
func upToDate(wanted *unstructured.Unstructured, live client.Object, last answer) (bool, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("convert %T: %w", live, err)
	}
	// Objects from the cache have no kind.
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

// contains reports whether live has all of wanted. A list may have its elements in any
// order, and more of them: other managers add some.
func contains(live, wanted any) bool {
	switch wanted := wanted.(type) {
	case map[string]any:
		fields, ok := live.(map[string]any)
		if !ok {
			return len(wanted) == 0 && live == nil // the API server stores {} as null
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
