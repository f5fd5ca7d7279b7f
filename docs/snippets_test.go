package docs_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/hack/pages/page"
)

func TestMain(m *testing.M) { controllerstest.Main(m) }

// documents are the texts that users read, from here: those of this folder and further ones.
var documents = append([]string{
	"../README.md", "argocd/README.md", "decisions/README.md", "../CONTRIBUTING.md",
	"../config/chart/README.md", "../config/samples/README.md",
}, here()...)

// here returns those of this folder. The report of `make chaos` speaks of the code, too.
func here() []string {
	found, err := filepath.Glob("*.md")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	return slices.DeleteFunc(found, func(name string) bool { return name == "chaos-report.md" })
}

// TestSnippets checks that the API server, the operator and the workers accept each
// manifest in the documents, since readers copy them. A snippet that begins
// below spec stands for the rest of a small manifest.
func TestSnippets(t *testing.T) {
	api := controllerstest.Start(t)
	total := 0
	for _, document := range documents {
		for _, block := range page.Blocks(read(t, document)) {
			switch {
			case strings.HasSuffix(block.File, ".test.yaml"): // cases
			case block.Language == "yaml":
				total++
				accepted(t, api, document, block.Text)
			case strings.Contains(block.Text, "apiVersion:"):
				t.Errorf("%s: a manifest in a block that is not marked as yaml:\n%s", document, block.Text)
			}
		}
	}
	if total < 3 {
		t.Errorf("there are %d snippets", total)
	}
}

// TestNotesOfTheChart checks the manifest that `helm install` prints for a shell.
func TestNotesOfTheChart(t *testing.T) {
	notes := read(t, "../config/chart/templates/NOTES.txt")
	manifest := regexp.MustCompile(`(?s)<<END\n(.*?)\n  END\n`).FindStringSubmatch(notes)
	if manifest == nil {
		t.Fatal("there is no manifest")
	}
	text := regexp.MustCompile(`{{.*?}}`).ReplaceAllString(manifest[1], "default")
	accepted(t, controllerstest.Start(t), "NOTES.txt", text)
}

// accepted applies a snippet as kubectl does, without storing it.
func accepted(t *testing.T, api *controllerstest.API, document, text string) {
	t.Helper()
	object := manifestOf(t, document, text)
	strict := client.WithFieldValidation(api.Client, metav1.FieldValidationStrict)
	if err := strict.Create(context.Background(), object, client.DryRunAll); err != nil {
		t.Errorf("%s: %v in\n%s", document, err, text)
		return
	}
	manifest, err := yaml.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	sp := &v1alpha1.StreamProcessor{}
	if err := yaml.Unmarshal(manifest, sp); err != nil {
		t.Fatal(err)
	}
	if _, err := resources.WorkerConfig(sp, "/credentials"); err != nil {
		t.Errorf("%s: the workers refuse it: %v in\n%s", document, err, text)
	}
	if err := resources.CheckForCluster(sp); err != nil {
		t.Errorf("%s: the operator refuses it: %v in\n%s", document, err, text)
	}
}

// manifestOf returns the object of a snippet, in which no field stands twice.
func manifestOf(t *testing.T, document, text string) *unstructured.Unstructured {
	t.Helper()
	part := strings.HasPrefix(text, "  ") && !strings.Contains(text, "apiVersion:")
	if part {
		text = "spec:\n" + text
	}
	object := &unstructured.Unstructured{}
	if err := yaml.UnmarshalStrict([]byte(text), &object.Object); err != nil {
		t.Fatalf("%s: %v in\n%s", document, err, text)
	}
	if part {
		complete(t, object.Object)
	}
	object.SetNamespace("default")
	return object
}

// complete adds the fields that a part of a manifest leaves out.
func complete(t *testing.T, object map[string]any) {
	t.Helper()
	var rest map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "../config/samples/copy.yaml")), &rest); err != nil {
		t.Fatal(err)
	}
	spec, _, _ := unstructured.NestedMap(object, "spec")
	whole, _, _ := unstructured.NestedMap(rest, "spec")
	for name, value := range spec {
		whole[name] = value
	}
	object["spec"] = whole
	for _, name := range []string{"apiVersion", "kind", "metadata"} {
		object[name] = rest[name]
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
