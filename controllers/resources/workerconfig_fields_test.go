package resources

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// notForWorkers lists the fields of the spec that workers need not know.
var notForWorkers = map[string]string{
	"kafka.sasl.oauth.serviceAccountToken.audience":                 "the kubelet asks for the token",
	"kafka.sasl.oauth.serviceAccountToken.expirationSeconds":        "the kubelet asks for the token",
	"output.kafka.sasl.oauth.serviceAccountToken.audience":          "the kubelet asks for the token",
	"output.kafka.sasl.oauth.serviceAccountToken.expirationSeconds": "the kubelet asks for the token",
	"input.partitions":                  "the operator bounds the pods by it",
	"processor.cel.image":               "the operator runs the image",
	"processor.container":               "the operator runs the image",
	"processor.sidecar.image":           "the operator runs the image",
	"processor.sidecar.command":         "the operator runs the image",
	"processor.sidecar.args":            "the operator runs the image",
	"processor.sidecar.imagePullPolicy": "the operator runs the image",
	"processor.sidecar.adapter":         "the operator runs it",
	"processor.sidecar.env":             "the operator runs the image",
	"processor.sidecar.resources":       "the operator runs the image",
	"processor.sidecar.ports":           "the operator runs the image",
	"processor.sidecar.processes":       "a variable of the processor's container",
	"replicas":                          "the operator's",
	"autoscaling":                       "the operator's",
	"suspend":                           "the operator's",
	"deletionPolicy":                    "the operator's",
	"deployment":                        "the operator's",
	"template":                          "the operator's",
}

// TestEveryFieldIsMappedOrNotForWorkers checks that every field of the spec is either in the
// worker's configuration or in the list above. A new field makes it fail until the field is mapped or listed.
func TestEveryFieldIsMappedOrNotForWorkers(t *testing.T) {
	used := map[string]bool{}
	var visit func(path string, index []int, typ reflect.Type)
	visit = func(path string, index []int, typ reflect.Type) {
		if _, listed := notForWorkers[path]; listed {
			used[path] = true
			if isLeaf(typ) && changes(t, index) {
				t.Errorf("spec.%s changes the configuration, but is in the list notForWorkers", path)
			}
			return
		}
		if isLeaf(typ) {
			if !changes(t, index) {
				t.Errorf("spec.%s does not change the worker's configuration: map it or list it", path)
			}
			return
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			visit(strings.TrimPrefix(path+"."+name, "."), append(index[:len(index):len(index)], i), typ.Field(i).Type)
		}
	}
	visit("", nil, reflect.TypeFor[v1alpha1.StreamProcessorSpec]())
	for path := range notForWorkers {
		if !used[path] {
			t.Errorf("there is no spec.%s", path)
		}
	}
}

func isLeaf(typ reflect.Type) bool {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	return typ.Kind() != reflect.Struct || typ == reflect.TypeFor[metav1.Duration]() || typ == reflect.TypeFor[resource.Quantity]()
}

// changes reports whether a change of the field at index changes the configuration.
func changes(t *testing.T, index []int) bool {
	t.Helper()
	sp := decode(t, full)
	v := reflect.ValueOf(&sp.Spec).Elem()
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	before, err := convert(sp, mounts)
	if err != nil {
		t.Fatal(err)
	}
	alter(t, v)
	after, err := convert(sp, mounts)
	if err != nil {
		t.Fatal(err)
	}
	return !reflect.DeepEqual(before, after)
}

// alter sets v to another value.
func alter(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Addr().Interface().(type) {
	case *metav1.Duration:
		x.Duration += time.Second
		return
	case *resource.Quantity:
		x.Add(resource.MustParse("1"))
		return
	case *map[string]v1alpha1.OAuthExtension:
		*x = map[string]v1alpha1.OAuthExtension{"name": "value"}
		return
	case *[]v1alpha1.CASource:
		*x = append(*x, v1alpha1.CASource{SecretRef: &v1alpha1.CARef{Name: "more", Key: "ca.crt"}})
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		alter(t, v.Elem())
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	default:
		t.Fatalf("the test can't alter a %s: add a case", v.Type())
	}
}
