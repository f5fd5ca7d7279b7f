package v1alpha1

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	k8sjson "sigs.k8s.io/json"
)

// patchDirective is a key of an overlay that says how to merge the object around it. The
// types of Kubernetes have no field for it.
const patchDirective = "$patch"

// WorkerContainer is the name of the worker's container in its pod.
const WorkerContainer = "worker"

// ProcessorContainer is the name of the init container that spec.processor.sidecar runs in.
const ProcessorContainer = "processor"

// overlaid wraps the overlay's pod spec, so that the decoder's errors have the paths of a
// manifest.
type overlaid struct {
	Spec struct {
		Template struct {
			Spec corev1.PodSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

// PodSpec decodes t's spec strictly. It returns an error that names each unknown field,
// each value of the wrong type and each list item that can't be merged, by its path in
// the manifest. For a nil t it returns an empty spec.
func (t *PodTemplateSpec) PodSpec() (*corev1.PodSpec, error) {
	if t == nil || t.Spec == nil || len(t.Spec.Raw) == 0 {
		return &corev1.PodSpec{}, nil
	}
	var fields map[string]any
	if err := k8sjson.UnmarshalCaseSensitivePreserveInts(t.Spec.Raw, &fields); err != nil {
		return nil, errors.New("spec.template.spec: it must be an object with fields")
	}
	stripped, err := withoutDirectives("spec.template.spec", fields)
	if err != nil {
		return nil, err
	}
	tree, err := json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": stripped}}})
	if err != nil {
		return nil, fmt.Errorf("spec.template.spec: %w", err)
	}
	into := &overlaid{}
	if err := checkQuantities("", tree, reflect.TypeOf(*into)); err != nil {
		return nil, err
	}
	strict, err := k8sjson.UnmarshalStrict(tree, into)
	if err != nil {
		return nil, locate(tree, into, err)
	}
	return &into.Spec.Template.Spec, errors.Join(append(strict, checkMergeKeys("spec.template.spec", fields, reflect.TypeFor[corev1.PodSpec]()))...)
}

// withoutDirectives checks the patch directives in value, and returns a copy without them.
func withoutDirectives(path string, value any) (any, error) {
	var errs []error
	switch value := value.(type) {
	case map[string]any:
		copied := make(map[string]any, len(value))
		for k, v := range value {
			if k == patchDirective {
				if v != "replace" && v != "delete" {
					errs = append(errs, fmt.Errorf("%s: it must be replace or delete", below(path, k)))
				}
				continue
			}
			field, err := withoutDirectives(below(path, k), v)
			copied[k], errs = field, append(errs, err)
		}
		return copied, errors.Join(errs...)
	case []any:
		copied := make([]any, len(value))
		for i, v := range value {
			item, err := withoutDirectives(fmt.Sprintf("%s[%d]", path, i), v)
			copied[i], errs = item, append(errs, err)
		}
		return copied, errors.Join(errs...)
	default:
		return value, nil
	}
}

// identity lists the fields that distinguish the items of a list, where the merge key
// alone does not.
var identity = map[string][]string{
	"ports":                     {"containerPort", "protocol"},
	"topologySpreadConstraints": {"topologyKey", "whenUnsatisfiable"},
}

// checkMergeKeys refuses list items without their merge key, and duplicate items.
func checkMergeKeys(path string, fields map[string]any, t reflect.Type) error {
	var errs []error
	for field := range t.Fields() {
		name, key := jsonName(field), field.Tag.Get("patchMergeKey")
		items, ok := fields[name].([]any)
		if !ok || key == "" {
			continue
		}
		list := mergedList{path: below(path, name), key: key, identity: identity[name]}
		if list.identity == nil || name == "ports" && fields["name"] == WorkerContainer {
			list.identity = []string{key} // the operator's own items are merged by the key alone
		}
		errs = append(errs, list.check(items))
		if containers := reflect.TypeFor[corev1.Container](); field.Type.Elem() == containers {
			for i, item := range items {
				below, _ := item.(map[string]any)
				errs = append(errs, checkMergeKeys(fmt.Sprintf("%s[%d]", list.path, i), below, containers))
			}
		}
	}
	return errors.Join(errs...)
}

// mergedList is a list whose items are merged by a key.
type mergedList struct {
	path, key string
	identity  []string
}

func (l *mergedList) check(items []any) error {
	var errs []error
	seen := map[string]bool{}
	for i, item := range items {
		fields, _ := item.(map[string]any)
		if _, directive := fields[patchDirective]; directive && len(fields) == 1 {
			continue // the directive applies to the whole list
		}
		id := ""
		for _, name := range l.identity {
			id += fmt.Sprintln(fields[name])
		}
		switch name := fields[l.key]; {
		case name == nil || name == "":
			errs = append(errs, fmt.Errorf("%s[%d].%s: it is not set: the items of this list are merged by it", l.path, i, l.key))
		case seen[id]:
			errs = append(errs, fmt.Errorf("%s[%d].%s: %v is there twice: give each item another one", l.path, i, l.key, name))
		}
		seen[id] = true
	}
	return errors.Join(errs...)
}
