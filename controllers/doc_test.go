package controllers

import (
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// TestDocNamesThePhases: the package comment lists the phases of Reconcile in their
// order.
func TestDocNamesThePhases(t *testing.T) {
	content, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(strings.ReplaceAll(string(content), "//", "")), " ")
	r := New(Options{})
	for _, deleted := range []bool{false, true} {
		var names []string
		for _, do := range r.phases(deleted) {
			names = append(names, phaseName(do))
		}
		if list := strings.Join(names, ", "); !strings.Contains(doc, " "+list+".") && !strings.Contains(doc, " "+list+";") {
			t.Errorf("doc.go does not list the phases %q", list)
		}
	}
}

// phaseName returns the name of the method that do is.
func phaseName(do phase) string {
	name := runtime.FuncForPC(reflect.ValueOf(do).Pointer()).Name()
	name = strings.TrimSuffix(name, "-fm")
	return name[strings.LastIndexByte(name, '.')+1:]
}
