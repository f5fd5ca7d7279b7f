package crd

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

const current = "bases/millrace.dev_streamprocessors.yaml"

func TestRules(t *testing.T) {
	api := controllerstest.Start(t)
	for _, rule := range allRules(t) {
		for _, change := range rule.accept {
			object := parse(t, least, change)
			if err := try(api, object); err != nil {
				t.Errorf("%s: %v", short(change), err)
				continue
			}
			sp := &v1alpha1.StreamProcessor{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, sp); err != nil {
				t.Fatal(err)
			}
			checkUsable(t, sp)
		}
		for _, change := range rule.refuse {
			err := try(api, parse(t, least, change))
			if err == nil {
				t.Errorf("%s is accepted, want the error %q", short(change), rule.says)
			} else if !says(t, causesOf(t, err), rule.field, rule.says) {
				t.Errorf("%s: %v\nwant %s: %s", short(change), err, rule.field, rule.says)
			}
		}
	}
}

func allRules(t *testing.T) []rule {
	t.Helper()
	return slices.Concat(specRules, kafkaRules(), outputRules(t), schemaRules(), templateRules)
}

// outputRules are the rules of spec.kafka, applied to spec.output.kafka.
func outputRules(t *testing.T) []rule {
	t.Helper()
	var rules []rule
	for _, r := range slices.Concat(specRules, kafkaRules()) {
		if below, ok := strings.CutPrefix(r.field, "spec.kafka."); ok {
			rules = append(rules, rule{"spec.output.kafka." + below, r.says, toOutput(t, r.accept), toOutput(t, r.refuse)})
		}
	}
	return rules
}

// toOutput converts changes of spec.kafka to changes of spec.output.kafka.
func toOutput(t *testing.T, changes []string) []string {
	t.Helper()
	moved := make([]string, len(changes))
	for i, change := range changes {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(change), &object); err != nil {
			t.Fatal(err)
		}
		kafka, _, _ := unstructured.NestedMap(object, "spec", "kafka")
		if kafka["bootstrapServers"] == nil {
			kafka["bootstrapServers"] = []any{"elsewhere:9092"}
		}
		moved[i] = asYAML(t, map[string]any{"spec": map[string]any{"output": map[string]any{"kafka": kafka}}})
	}
	return moved
}

// says reports whether a finding is the expected one. It fails the test if the server could
// not evaluate a rule.
func says(t *testing.T, causes []metav1.StatusCause, field, message string) bool {
	t.Helper()
	found := false
	for _, cause := range causes {
		found = found || cause.Field == field && strings.Contains(cause.Message, message)
		if strings.Contains(cause.Message, "evaluating rule") || strings.Contains(cause.Message, "no such") {
			t.Errorf("the server could not evaluate a rule: %s: %s", cause.Field, cause.Message)
		}
	}
	return found
}

func short(change string) string { return change[:min(len(change), 120)] }

// TestTablesHaveEveryRule fails for a new rule until the tables contain it.
func TestTablesHaveEveryRule(t *testing.T) {
	var told []string
	for _, rule := range allRules(t) {
		told = append(told, rule.field+": "+rule.says)
	}
	for _, c := range transitions {
		told = append(told, c.field+": "+c.want)
	}
	schema := readCRD(t, current).Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, rule := range rulesOf("", schema) {
		known := false
		for _, line := range told {
			known = known || strings.HasPrefix(rule, line) && !strings.HasSuffix(line, ": ")
		}
		if !known {
			t.Errorf("the tables have no test of the rule %s", rule)
		}
	}
}

// rulesOf returns the rules of a schema as "field: message".
func rulesOf(path string, schema *apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	for _, rule := range schema.XValidations {
		field := strings.TrimPrefix(path+rule.FieldPath, ".")
		if field == "" {
			field = "<nil>"
		}
		found = append(found, fmt.Sprintf("%s: %s", field, rule.Message))
	}
	for name := range schema.Properties {
		found = append(found, rulesOf(path+"."+name, new(schema.Properties[name]))...)
	}
	if schema.Items != nil {
		found = append(found, rulesOf(path+"[0]", schema.Items.Schema)...)
	}
	return found
}

func readCRD(t *testing.T, path string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(content, crd); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return crd
}
