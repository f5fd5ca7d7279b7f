package conformance_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/conformance"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// brokenVariable makes the test binary the test program; its value names the fault, or is
// "nothing". grpcVariable makes it speak gRPC.
const (
	brokenVariable = "MILLRACE_TEST_BROKEN"
	grpcVariable   = "MILLRACE_TEST_GRPC"
)

func TestMain(m *testing.M) {
	if broken := os.Getenv(brokenVariable); broken != "" {
		connect := protocoltest.Connect
		if os.Getenv(grpcVariable) != "" {
			connect = protocoltest.ConnectGRPC
		}
		os.Exit(protocoltest.Main(broken, connect))
	}
	os.Exit(m.Run())
}

// program is the test program. The race detector would hold up the end of each for a second.
func program(broken string, patience time.Duration) conformance.Options {
	return conformance.Options{
		Command:  "env GORACE=atexit_sleep_ms=0 " + brokenVariable + "=" + broken + " '" + os.Args[0] + "'",
		Patience: patience,
	}
}

// TestAProgramThatConforms passes each check.
func TestAProgramThatConforms(t *testing.T) {
	for _, name := range conformance.Names() {
		t.Run(name, func(t *testing.T) {
			if err := conformance.Perform(t.Context(), t, name, program("nothing", 30*time.Second)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAProgramOverGRPC passes each check too.
func TestAProgramOverGRPC(t *testing.T) {
	for _, name := range conformance.Names() {
		t.Run(name, func(t *testing.T) {
			opts := program("nothing", 30*time.Second)
			opts.Command = "env " + grpcVariable + "=yes " + opts.Command
			if err := conformance.Perform(t.Context(), t, name, opts); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBrokenPrograms: each check notices a program that does wrong what it is about.
func TestBrokenPrograms(t *testing.T) {
	for _, c := range []struct{ check, broken, want string }{
		{"hello", "hello", "the process speaks versions 2 to 2"},
		{"late-socket", "late-socket", "the program ends because there is no socket yet"},
		{"version", "silent", "does not write the reason"},
		{"processes", "processes", "does not connect within"},
		{"echo", "value", `the value "value 0" comes back as "broken"`},
		{"null-and-empty", "null-and-empty", `the value null comes back as ""`},
		{"fields", "describe", "is not the JSON that it has to be"},
		{"times", "describe", "is not the JSON that it has to be"},
		{"header-names", "header-names", "come back as"},
		{"filter", "filter", "a filtered record has outputs"},
		{"outputs", "outputs", "the record has 1 outputs, want 5"},
		{"tombstone", "tombstone", "the value of the tombstone is not null"},
		{"topic", "topic", `the output's topic is ""`},
		{"large-output", "large", "the output has 6 bytes"},
		{"failures", "drop", "the record does not fail"},
		{"failure-alone", "permanent", "record 3 has the failure"},
		{"results-too-large", "results-too-large", "the process sends nothing"},
		{"batch-credit", "batch-credit", "the process sends nothing"},
		{"pipelining", "batch-credit", "the process sends nothing"},
		{"byte-credit", "byte-credit", "and has credit for 65536"},
		{"ping", "ping", "the process sends nothing"},
		{"drain", "drain", "the Drained comes before the results"},
		{"crash", "exit", "does not close the connection"},
		{"close", "close", "the process ends the connection"},
		{"close-with-error", "close-with-error", "the program ends with exit code 0"},
		{"sigterm", "sigterm", "the process ends the connection"},
		{"mistake-no-protobuf", "mistakes", "does not close the connection"},
		{"mistake-empty-batch", "mistakes", "does not close the connection"},
		{"mistake-second-hello", "mistakes", "does not close the connection"},
	} {
		t.Run(c.check, func(t *testing.T) {
			t.Parallel() // many of them wait out their patience
			err := conformance.Perform(t.Context(), t, c.check, program(c.broken, 5*time.Second))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the check says %v, want %q", err, c.want)
			}
		})
	}
}

// TestRun reports each check once.
func TestRun(t *testing.T) {
	var names []string
	opts := conformance.Options{Command: "exit 7", Patience: time.Second, Report: func(r conformance.Result) {
		names = append(names, r.Name)
		if r.Err == nil || r.Does == "" {
			t.Errorf("%+v: a program that ends at once passes", r)
		}
	}}
	checks, failed, err := conformance.Run(t.Context(), opts)
	if err != nil || failed != checks || !slices.Equal(names, conformance.Names()) {
		t.Errorf("%d of %d checks have failed (%v): %q", failed, checks, err, names)
	}
}
