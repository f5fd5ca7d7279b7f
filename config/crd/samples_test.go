package crd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// TestSamples applies each sample as kubectl does, and checks that workers accept the
// resulting configuration.
func TestSamples(t *testing.T) {
	api := controllerstest.Start(t)
	processors := 0
	err := filepath.WalkDir("../samples", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || strings.HasSuffix(path, ".test.yaml") {
			return err
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			namespace := api.Namespace(t)
			for _, object := range documents(t, path) {
				object.SetNamespace(namespace)
				apply := client.ApplyConfigurationFromUnstructured(object)
				if err := strict(api).Apply(context.Background(), apply, client.FieldOwner("test")); err != nil {
					t.Fatal(err)
				}
				if object.GetKind() == v1alpha1.Kind {
					processors++
					checkUsable(t, get(t, api, client.ObjectKeyFromObject(object)))
				}
			}
		})
		return nil
	})
	if err != nil || processors < 7 {
		t.Errorf("%d StreamProcessors, error %v", processors, err)
	}
}

// checkUsable checks that workers would run with the stored object.
func checkUsable(t *testing.T, sp *v1alpha1.StreamProcessor) {
	t.Helper()
	if _, err := resources.WorkerConfig(sp, "/credentials"); err != nil {
		t.Errorf("the workers refuse the sample: %v", err)
	}
}

// documents reads the objects of a file.
func documents(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var objects []*unstructured.Unstructured
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(text, &object.Object); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}
