package crd

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// Numbers, lengths and words are allowed up to their bounds and refused beyond
// them, in every field of the spec that is this project's own.
func TestBounds(t *testing.T) {
	api := controllerstest.Start(t)
	schema := readCRD(t, current).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	bounds := boundsOf([]string{"spec"}, &schema)
	if len(bounds) < 60 {
		t.Fatalf("found only %d bounds", len(bounds))
	}
	for _, b := range bounds {
		field := strings.Join(b.path, ".")
		for _, value := range b.refused {
			err := try(api, withValue(t, b.path, value))
			if err == nil {
				t.Errorf("%s: %s is accepted", field, brief(value))
			} else if !names(causesOf(t, err), field) {
				t.Errorf("%s: %s: %v, which does not name the field", field, brief(value), err)
			}
		}
		for _, value := range b.allowed {
			if err := try(api, withValue(t, b.path, value)); err != nil {
				t.Errorf("%s: %s: %v", field, brief(value), err)
			}
		}
	}
}

type bound struct {
	path             []string
	allowed, refused []any
}

func boundsOf(path []string, schema *apiextensionsv1.JSONSchemaProps) []bound {
	b := bound{path: path}
	if least := schema.Minimum; least != nil {
		b.allowed, b.refused = append(b.allowed, int64(*least)), append(b.refused, int64(*least)-1)
	}
	if most := schema.Maximum; most != nil {
		b.allowed, b.refused = append(b.allowed, int64(*most)), append(b.refused, int64(*most)+1)
	}
	if least := schema.MinLength; least != nil {
		b.refused = append(b.refused, strings.Repeat("a", int(*least)-1))
	}
	if most := schema.MaxLength; most != nil {
		b.refused = append(b.refused, strings.Repeat("a", int(*most)+1))
		if len(schema.XValidations) == 0 {
			b.allowed = append(b.allowed, strings.Repeat("a", int(*most)))
		}
	}
	for _, word := range schema.Enum {
		var text string
		_ = json.Unmarshal(word.Raw, &text)
		b.refused = append(b.refused, text+"x")
		if text != "ExactlyOnce" {
			b.allowed = append(b.allowed, text)
		}
	}
	if least := schema.MinItems; least != nil {
		b.refused = append(b.refused, items(*least-1))
	}
	if most := schema.MaxItems; most != nil {
		b.allowed, b.refused = append(b.allowed, items(*most)), append(b.refused, items(*most+1))
	}
	if most := schema.MaxProperties; most != nil {
		b.allowed, b.refused = append(b.allowed, properties(*most)), append(b.refused, properties(*most+1))
	}
	found := []bound{b}
	for _, required := range schema.Required {
		found = append(found, bound{path: below(path, required), refused: []any{nil}})
	}
	for name := range schema.Properties {
		found = append(found, boundsOf(below(path, name), new(schema.Properties[name]))...)
	}
	return found
}

func below(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

// items are brokers, and good for every other list.
func items(count int64) []any {
	list := []any{}
	for i := range count {
		list = append(list, fmt.Sprintf("kafka-%d:9092", i))
	}
	return list
}

func properties(count int64) map[string]any {
	object := map[string]any{}
	for i := range count {
		object[fmt.Sprint("name-", i)] = "key"
	}
	return object
}

// withValue returns a StreamProcessor that has all fields, with another value
// of one; nil takes the field away.
func withValue(t *testing.T, path []string, value any) *unstructured.Unstructured {
	t.Helper()
	manifest := parse(t, full)
	if strings.HasPrefix(strings.Join(path, "."), "spec.processor.container") {
		manifest = parse(t, full, image("a"))
	}
	if value == nil {
		unstructured.RemoveNestedField(manifest.Object, path...)
	} else if err := unstructured.SetNestedField(manifest.Object, value, path...); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// names reports whether a finding is about a field or a part of it.
func names(causes []metav1.StatusCause, field string) bool {
	for _, cause := range causes {
		if strings.HasPrefix(cause.Field, field) {
			return true
		}
	}
	return false
}

func brief(value any) string {
	text := fmt.Sprintf("%v", value)
	return text[:min(len(text), 60)]
}
