package v1alpha1

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// TestDefaultEqualsTheMarkers checks that Default fills the same values as the API server
// does from the markers, so that a manifest means the same locally and in a cluster.
func TestDefaultEqualsTheMarkers(t *testing.T) {
	for name, manifest := range map[string]string{
		"the least": least,
		"all":       full,
		"empty parts": least + "  failure: {backoff: {}, deadLetter: {topic: d, create: {partitions: 1}}}\n" +
			"  inFlight: {}\n  autoscaling: {maxReplicas: 3}\n  template: {}\n",
		"zeros":       least + "  replicas: 0\n  autoscaling: {minReplicas: 0, maxReplicas: 3}\n",
		"OAuth":       strings.Replace(least, "kafka: {", "kafka: {sasl: {mechanism: OAUTHBEARER, oauth: {tokenEndpoint: {ca: [{configMapRef: {name: c}}]}, serviceAccountToken: {audience: a}}}, ", 1),
		"other parts": least + "  failure: {maxAttempts: 2, timeout: 3s}\n  inFlight: {bytes: 1Gi}\n  ordering: Partition\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(manifest))
			if err != nil {
				t.Fatal(err)
			}
			want := byMarkers(t, manifest)
			if !apiequality.Semantic.DeepEqual(got, want) {
				t.Errorf("Default gives\n%s\nthe markers\n%s", asYAML(t, got), asYAML(t, want))
			}
			again := got.DeepCopy()
			again.Default()
			if !apiequality.Semantic.DeepEqual(got, again) {
				t.Errorf("a second call of Default gives\n%s\nwant\n%s", asYAML(t, again), asYAML(t, got))
			}
		})
	}
}

// byMarkers reads a manifest and fills its defaults as the API server does.
func byMarkers(t *testing.T, manifest string) *StreamProcessor {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(manifest), &tree); err != nil {
		t.Fatal(err)
	}
	markers := defaultMarkers(t)
	if len(markers) < 20 {
		t.Fatalf("found only the markers %v", markers)
	}
	applyMarkers(t, tree["spec"].(map[string]any), reflect.TypeFor[StreamProcessorSpec](), markers)
	content, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	sp := &StreamProcessor{}
	if err := kjson.UnmarshalCaseSensitivePreserveInts(content, sp); err != nil {
		t.Fatal(err)
	}
	return sp
}

// applyMarkers sets the absent fields of an object first and then descends into all of
// them, so that a default of {} gets the defaults of its fields.
func applyMarkers(t *testing.T, object map[string]any, typ reflect.Type, markers map[string]string) {
	t.Helper()
	for field := range typ.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if marker, ok := markers[typ.Name()+"."+field.Name]; ok && object[name] == nil {
			var value any
			if err := yaml.Unmarshal([]byte(marker), &value); err != nil {
				t.Fatalf("%s.%s: default %s: %v", typ.Name(), field.Name, marker, err)
			}
			object[name] = value
		}
		of := structOf(field.Type)
		if of == nil {
			continue
		}
		children, isList := object[name].([]any)
		if !isList {
			children = []any{object[name]}
		}
		for _, child := range children {
			if child, isObject := child.(map[string]any); isObject {
				applyMarkers(t, child, of, markers)
			}
		}
	}
}

// structOf returns the struct of this package that a field holds, alone or in a
// list, or nil.
func structOf(typ reflect.Type) reflect.Type {
	if typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.PkgPath() != reflect.TypeFor[StreamProcessor]().PkgPath() {
		return nil
	}
	return typ
}

// defaultMarkers returns the values of the markers in this package's source, by
// Type.Field.
func defaultMarkers(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*_types.go")
	if err != nil {
		t.Fatal(err)
	}
	markers := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			typ, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if fields, ok := typ.Type.(*ast.StructType); ok {
				for _, field := range fields.Fields.List {
					addMarker(markers, typ.Name.Name, field)
				}
			}
			return false
		})
	}
	return markers
}

func addMarker(markers map[string]string, typ string, field *ast.Field) {
	if field.Doc == nil || len(field.Names) == 0 {
		return
	}
	for _, comment := range field.Doc.List {
		if value, ok := strings.CutPrefix(comment.Text, "// +kubebuilder:default="); ok {
			markers[fmt.Sprintf("%s.%s", typ, field.Names[0].Name)] = value
		}
	}
}

func asYAML(t *testing.T, sp *StreamProcessor) string {
	t.Helper()
	content, err := yaml.Marshal(sp)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
