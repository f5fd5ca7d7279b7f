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

// TestBounds checks that numbers, lengths and words are allowed up to their bounds and refused
// beyond them, in every field of the spec that this project defines.
func TestBounds(t *testing.T) {
	api := controllerstest.Start(t)
	schema := readCRD(t, current).Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	bounds := boundsOf([]string{"spec"}, &schema)
	if len(bounds) < 60 {
		t.Fatalf("found only %d bounds in the CRD", len(bounds))
	}
	for _, b := range bounds {
		field := strings.Join(b.path, ".")
		for _, value := range b.refused {
			err := try(api, withValue(t, b.path, value))
			if err == nil {
				t.Errorf("%s: %s is accepted", field, brief(value))
			} else if !names(causesOf(t, err), field) {
				t.Errorf("%s: %s: %v, want an error that names the field", field, brief(value), err)
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
		// The tables of rules cover the fields of each mechanism.
		if !strings.HasSuffix(strings.Join(path, "."), ".sasl.mechanism") {
			b.allowed = append(b.allowed, text)
		}
	}
	if least := schema.MinItems; least != nil {
		b.refused = append(b.refused, items(path, *least-1))
	}
	if most := schema.MaxItems; most != nil {
		b.allowed, b.refused = append(b.allowed, items(path, *most)), append(b.refused, items(path, *most+1))
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

// items returns brokers, authorities, variables, ports, or items that suit every other list.
func items(path []string, count int64) []any {
	list := []any{}
	for i := range count {
		switch path[len(path)-1] {
		case "ca":
			list = append(list, map[string]any{"secretRef": map[string]any{"name": fmt.Sprint("ca-", i)}})
		case "env":
			list = append(list, map[string]any{"name": fmt.Sprint("A_", i)})
		case "ports":
			list = append(list, map[string]any{"name": fmt.Sprint("port-", i), "containerPort": i + 1})
		default:
			list = append(list, fmt.Sprintf("kafka-%d:9092", i))
		}
	}
	return list
}

func properties(count int64) map[string]any {
	object := map[string]any{}
	for i := range count {
		// Letters only, which are valid in the keys of all maps.
		object["name"+strings.Repeat("a", int(i))] = "key"
	}
	return object
}

// withValue returns a StreamProcessor with all fields and another value for one of them; nil
// removes the field.
func withValue(t *testing.T, path []string, value any) *unstructured.Unstructured {
	t.Helper()
	manifest := parse(t, full, needs(t, strings.Join(path, "."))...)
	if value == nil {
		unstructured.RemoveNestedField(manifest.Object, path...)
	} else if err := unstructured.SetNestedField(manifest.Object, value, path...); err != nil {
		t.Fatal(err)
	}
	return manifest
}

// needs returns the further changes that a field needs because other fields exclude it.
func needs(t *testing.T, field string) (changes []string) {
	t.Helper()
	below, ofOutput := strings.CutPrefix(field, "spec.output.kafka.")
	if ofOutput {
		return toOutput(t, needs(t, "spec.kafka."+below))
	}
	mechanism := func(name, fields string) string {
		return sasl("username: null, usernameSecretRef: null, passwordSecretRef: null, mechanism: " + name + ", " + fields)
	}
	for _, need := range []struct{ prefix, change string }{
		{"spec.processor.container.", image("a")},
		{"spec.processor.sidecar.", spec("processor: {cel: null, sidecar: {image: a, command: [a]}}, autoscaling: {vertical: null}")},
		{"spec.processor.cel.values.", spec("processor: {cel: {value: null}}")},
		{"spec.delivery.", spec("output: {kafka: null}")},
		{"spec.input.schema.registry.basicAuth.usernameSecretRef.", spec("input: {schema: {registry: {basicAuth: {username: null, usernameSecretRef: {name: a, key: b}}}}}")},
		{"spec.output.schema.registry.basicAuth.usernameSecretRef.", spec("output: {schema: {registry: {basicAuth: {username: null, usernameSecretRef: {name: a, key: b}}}}}")},
		{"spec.input.schema.registry.tokenSecretRef.", spec("input: {schema: {registry: {basicAuth: null, tokenSecretRef: {name: a, key: b}}}}")},
		{"spec.output.schema.registry.tokenSecretRef.", spec("output: {schema: {registry: {basicAuth: null, tokenSecretRef: {name: a, key: b}}}}")},
		{"spec.kafka.sasl.username.", sasl("usernameSecretRef: null")},
		{"spec.kafka.sasl.usernameSecretRef.", sasl("username: null, usernameSecretRef: {name: a, key: b}")},
		{"spec.kafka.sasl.aws.", mechanism("AWS_MSK_IAM", "aws: {region: a}")},
		{"spec.kafka.sasl.oauth.extensions.", mechanism("OAUTHBEARER", "oauth: {"+token+"}")},
		{"spec.kafka.sasl.oauth.serviceAccountToken.", mechanism("OAUTHBEARER", "oauth: {"+token+"}")},
		{"spec.kafka.sasl.oauth.tokenEndpoint.", mechanism("OAUTHBEARER", "oauth: {"+endpoint+"}")},
		{
			"spec.kafka.sasl.oauth.tokenEndpoint.clientIdSecretRef.",
			sasl("oauth: {tokenEndpoint: {clientId: null, clientIdSecretRef: {name: a, key: b}}}"),
		},
	} {
		if strings.HasPrefix(field+".", need.prefix) {
			changes = append(changes, need.change)
		}
	}
	return changes
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
