package worker

import (
	"reflect"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// TestTypesHaveTheLayoutOfTheirCounterparts: package usercode converts pointers to
// these types to pointers to their counterparts, so each field must have the same
// name, offset and type.
func TestTypesHaveTheLayoutOfTheirCounterparts(t *testing.T) {
	for _, pair := range [][2]any{
		{Header{}, record.Header{}},
		{Record{}, record.Record{}},
		{Output{}, record.Output{}},
		{Position{}, record.Position{}},
		{Outcome{}, record.Outcome{}},
		{Outputs{}.outputs, record.Outputs{}},
	} {
		sameLayout(t, reflect.TypeOf(pair[0]), reflect.TypeOf(pair[1]), reflect.TypeOf(pair[0]).Name())
	}
	if outputs := reflect.TypeFor[Outputs](); outputs.NumField() != 1 {
		t.Errorf("Outputs has %d fields, want one: it must have the layout of record.Outputs", outputs.NumField())
	}
}

// sameLayout fails unless both types agree in everything that matters in memory.
// Types with a name in package record correspond to those with the same name here.
func sameLayout(t *testing.T, a, b reflect.Type, path string) {
	t.Helper()
	if a == b {
		return
	}
	if a.Kind() != b.Kind() || a.Size() != b.Size() || a.Name() != b.Name() {
		t.Errorf("%s is a %v here and a %v in package record", path, a, b)
		return
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			t.Errorf("%s has %d fields here and %d in package record", path, a.NumField(), b.NumField())
			return
		}
		for i := range a.NumField() {
			f, g := a.Field(i), b.Field(i)
			if f.Name != g.Name || f.Offset != g.Offset {
				t.Errorf("field %d of %s is %s at %d here and %s at %d in package record", i, path, f.Name, f.Offset, g.Name, g.Offset)
			}
			sameLayout(t, f.Type, g.Type, path+"."+f.Name)
		}
	case reflect.Slice, reflect.Pointer, reflect.Array:
		sameLayout(t, a.Elem(), b.Elem(), path+"[]")
	case reflect.Uint8: // Fate
	default:
		t.Errorf("%s: this test can't compare the kind %v", path, a.Kind())
	}
}

// TestConstantsEqualTheirCounterparts: the constants are written out here for the sake
// of their documentation.
func TestConstantsEqualTheirCounterparts(t *testing.T) {
	for f, want := range map[Fate]record.Fate{
		Delivered: record.Delivered, Filtered: record.Filtered, DeadLettered: record.DeadLettered, Dropped: record.Dropped,
	} {
		if record.Fate(f) != want || f.String() != want.String() {
			t.Errorf("fate %d is %q, want %d, %q", f, f, want, want)
		}
	}
	for name, want := range map[string]string{
		HeaderTopic: failure.HeaderTopic, HeaderPartition: failure.HeaderPartition,
		HeaderOffset: failure.HeaderOffset, HeaderError: failure.HeaderError,
	} {
		if name != want {
			t.Errorf("a header is %q here and %q in package failure", name, want)
		}
	}
}
