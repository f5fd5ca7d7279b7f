package crd

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

var misspelt = []string{"spec.orderring", "spec.processor.cel.vaule", "spec.template.terminationGracePeriodSeconds", "spec.failure.retries"}

// TestUnknownFieldsAreRefused checks that clients with strict validation, such as kubectl, get
// errors about unknown fields.
func TestUnknownFieldsAreRefused(t *testing.T) {
	api := controllerstest.Start(t)
	for _, field := range misspelt {
		err := try(api, withUnknown(t, field))
		if !apierrors.IsBadRequest(err) || !strings.Contains(err.Error(), `unknown field "`+field+`"`) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestUnknownFieldsAreNotStored checks that unknown fields of other clients are dropped.
func TestUnknownFieldsAreNotStored(t *testing.T) {
	api := controllerstest.Start(t)
	lax := client.WithFieldValidation(api.Client, metav1.FieldValidationIgnore)
	for _, field := range misspelt {
		object := withUnknown(t, field)
		object.SetNamespace("default")
		if err := lax.Create(context.Background(), object, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		if value, ok, _ := unstructured.NestedFieldNoCopy(object.Object, strings.Split(field, ".")...); ok {
			t.Errorf("%s: the server stored %v", field, value)
		}
	}
}

// TestEndlessQuantitiesAreRefused checks that exponents are bounded. The parser of quantities,
// which the operator uses too, would compute with as many digits as the exponent says.
func TestEndlessQuantitiesAreRefused(t *testing.T) {
	api := controllerstest.Start(t)
	for field, change := range map[string]string{
		"spec.inFlight.bytes":                              inFlight("'1e-2147483647'"),
		"spec.processor.sidecar.resources.limits.cpu":      sidecar("image: a, resources: {limits: {cpu: '1e-2147483647'}}"),
		"spec.processor.sidecar.resources.requests.memory": sidecar("image: a, resources: {requests: {memory: '1e2147483647'}}"),
	} {
		if err := try(api, parse(t, least, change)); err == nil || !names(causesOf(t, err), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestTheSidecarsItemsAreDistinct: lists whose items merge by a key have each once, and the names
// of ports are short.
func TestTheSidecarsItemsAreDistinct(t *testing.T) {
	api := controllerstest.Start(t)
	for fields, want := range map[string]string{
		"env: [{name: A}, {name: A}]":                                        "spec.processor.sidecar.env[1]",
		"ports: [{containerPort: 53}, {containerPort: 53, protocol: TCP}]":   "spec.processor.sidecar.ports[1]",
		"ports: [{containerPort: 1, name: " + strings.Repeat("a", 16) + "}]": "spec.processor.sidecar.ports[0].name",
		"resources: {claims: [{name: a}, {name: a}]}":                        "spec.processor.sidecar.resources.claims[1]",
	} {
		change := sidecar("image: a, " + fields)
		if err := try(api, parse(t, least, change)); err == nil || !names(causesOf(t, err), want) {
			t.Errorf("%s: %v, want an error about %s", fields, err, want)
		}
		if err := locally(t, parse(t, least, change).Object); err == nil && !strings.Contains(fields, "claims") {
			t.Errorf("a laptop accepts %s", fields)
		}
	}
}

func withUnknown(t *testing.T, field string) *unstructured.Unstructured {
	t.Helper()
	object := parse(t, least)
	if err := unstructured.SetNestedField(object.Object, int64(1), strings.Split(field, ".")...); err != nil {
		t.Fatal(err)
	}
	return object
}
