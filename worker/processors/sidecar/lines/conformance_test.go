package lines_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/conformance"
)

// TestConformance: with a program behind it, the adapter passes the checks of the protocol,
// but for the kinds of failures that lines have no words for.
func TestConformance(t *testing.T) {
	t.Parallel()
	var failed []string
	opts := conformance.Options{
		Command:  fmt.Sprintf("env GORACE=atexit_sleep_ms=0 '%s' %s '%s' %s", os.Args[0], asAdapter, os.Args[0], asProgram),
		Patience: 30 * time.Second,
		Report: func(r conformance.Result) {
			if r.Err != nil {
				failed = append(failed, r.Name)
				t.Logf("%s: %v", r.Name, r.Err)
			}
		},
	}
	if _, _, err := conformance.Run(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if want := []string{"failures"}; !slices.Equal(failed, want) {
		t.Errorf("the checks %q fail, want %q", failed, want)
	}
}
