package controllers

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestRelease: Release removes the finalizers in the named namespaces, and touches no
// other StreamProcessor.
func TestRelease(t *testing.T) {
	w := newWorld(t, 1)
	for i, place := range []string{"shop/a", "shop/b", "bank/c"} {
		sp := &v1alpha1.StreamProcessor{}
		sp.Namespace, sp.Name, _ = strings.Cut(place, "/")
		if i != 1 {
			sp.Finalizers = []string{"example.com/theirs", groupFinalizer}
		}
		w.must(w.Create(t.Context(), sp))
	}
	left := func() (with string) {
		var list v1alpha1.StreamProcessorList
		w.must(w.List(t.Context(), &list))
		for _, sp := range list.Items {
			with += strings.Join(sp.Finalizers, "+") + " "
		}
		return with
	}
	var out strings.Builder
	w.must(Release(t.Context(), w.Client, []string{"shop"}, &out))
	if got := left(); got != "example.com/theirs+millrace.dev/consumer-group example.com/theirs  " {
		t.Errorf("the finalizers are %q", got)
	}
	if said := out.String(); !strings.Contains(said, "shop/a") || !strings.Contains(said, `"millrace-shop.a"`) || strings.Count(said, "\n") != 1 {
		t.Errorf("it says %q", said)
	}
	w.must(Release(t.Context(), w.Client, nil, &out))
	if got := left(); strings.Contains(got, groupFinalizer) {
		t.Errorf("the finalizers are %q", got)
	}
}
