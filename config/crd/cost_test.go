package crd

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestTheLargestIsJudged checks that the API server can evaluate the rules on the largest
// object within its budget. It stops evaluating rules that cost too much.
func TestTheLargestIsJudged(t *testing.T) {
	api := controllerstest.Start(t)
	object := parse(t, full)
	set := func(value any, path ...string) {
		t.Helper()
		if err := unstructured.SetNestedField(object.Object, value, path...); err != nil {
			t.Fatal(err)
		}
	}
	unstructured.RemoveNestedField(object.Object, "spec", "processor", "cel", "value") // it is instead of values
	for _, field := range []string{"filter", "key", "values", "topic"} {
		set(strings.Repeat("1", 1<<16), "spec", "processor", "cel", field)
	}
	headers := map[string]any{}
	for i := range 100 {
		headers[fmt.Sprintf("header-%02d", i)] = strings.Repeat("1", 2600)
	}
	set(headers, "spec", "processor", "cel", "headers")
	set(items([]string{"bootstrapServers"}, 100), "spec", "kafka", "bootstrapServers")
	set(longest(100), "spec", "output", "kafka", "bootstrapServers")
	for _, path := range [][]string{{"spec", "kafka"}, {"spec", "output", "kafka"}, {"spec", "input", "schema", "registry"}, {"spec", "output", "schema", "registry"}} {
		set(authorities(16), append(path, "tls", "ca")...)
	}
	set(strings.Repeat("a", 1024), "spec", "processor", "cel", "image")
	for _, path := range [][]string{{"spec", "template", "metadata"}, {"spec", "deployment"}} {
		set(entries(64, 63), append(path, "labels")...)
		set(entries(64, 2000), append(path, "annotations")...)
	}
	if err := try(api, object); err != nil {
		t.Error(err)
	}
}

// longest returns brokers with the longest allowed addresses.
func longest(count int) []any {
	list := make([]any, count)
	for i := range list {
		list[i] = fmt.Sprintf("%0253d:9092", i)
	}
	return list
}

// authorities returns references with the longest allowed names.
func authorities(count int) []any {
	list := make([]any, count)
	for i := range list {
		list[i] = map[string]any{"configMapRef": map[string]any{"name": fmt.Sprintf("%0253d", i), "key": fmt.Sprintf("%0253d", i)}}
	}
	return list
}

func entries(count, length int) map[string]any {
	object := map[string]any{}
	for i := range count {
		object[fmt.Sprint("example.com/", i)] = strings.Repeat("a", length)
	}
	return object
}
