package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// TestMain lets this test's program stand for the worker of a turn, and for a map server.
func TestMain(m *testing.M) {
	var run func(context.Context) error
	switch {
	case os.Getenv(jobVariable) != "" && os.Getenv(serverVariable) == "":
		run = runJob
	case os.Getenv(serverVariable) != "":
		run = serveMaps
	default:
		os.Exit(m.Run())
	}
	if err := run(context.Background()); err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

var short = settings{Rounds: 1, WarmUp: 50 * time.Millisecond, Measured: time.Second}

// sidecarSubject builds the Go program and returns it as a subject.
func sidecarSubject(t *testing.T) subject {
	t.Helper()
	return programSubject(t, goSidecar, "./echo")
}

// programSubject builds a Go program and returns it as a subject.
func programSubject(t *testing.T, name, pkg string) subject {
	t.Helper()
	file := filepath.Join(t.TempDir(), "echo")
	if out, err := exec.Command("go", "build", "-o", file, pkg).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return subject{Name: name, Kind: sidecars, Exec: []string{file}, Processes: 2}
}

// mapSubject returns a map server that answers as the text says.
func mapSubject(answers string) subject {
	return subject{Name: mapServer, Kind: numaflow, Exec: []string{os.Args[0]}, Env: []string{serverVariable + "=" + answers}, Processes: 1}
}

// TestCompare measures a subject of each kind. Each has a row with figures.
func TestCompare(t *testing.T) {
	all := []subject{{Name: "in the worker", Kind: inProcess, Processes: 1}, sidecarSubject(t), programSubject(t, goGRPC, "./grpcecho"), mapSubject("echo")}
	var report strings.Builder
	if err := compare(t.Context(), all, short, &report); err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		_, row, found := strings.Cut(report.String(), "\n| "+s.Name+" |")
		row, _, _ = strings.Cut(row, "\n")
		if !found || strings.Contains(row, " 0 (") || strings.Contains(row, "NaN") {
			t.Errorf("the row of %q is %q, and should have figures", s.Name, row)
		}
	}
	if !strings.Contains(report.String(), "| the worker's side of a sidecar takes less than 1 us a record | ") {
		t.Errorf("the report has no bound:\n%s", &report)
	}
}

// TestBadSubjects: a subject that does something else, or does not start, ends the comparison
// with an error that names it.
func TestBadSubjects(t *testing.T) {
	gone := subject{Name: "gone", Kind: sidecars, Exec: []string{"false"}, Processes: 1}
	for _, test := range []struct {
		subject subject
		want    string
	}{
		{mapSubject("other values"), `want its value`},
		{mapSubject("no handshake"), `does not answer the handshake`},
		{mapSubject("strange ids"), `answers with the id "x"`},
		{gone, "the program has ended before it was ready: exit status 1"},
		{subject{Kind: "odd"}, `there is no kind "odd" of subjects`},
	} {
		_, err := turn(t.Context(), job{test.subject, short})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the error is %v, want one with %q", err, test.want)
		}
	}
}

func TestMissingTools(t *testing.T) {
	err := build(t.Context(), []subject{{Name: "Fortran", Tools: []string{"go", "no-such-compiler"}}})
	if err == nil || !strings.Contains(err.Error(), "Fortran needs no-such-compiler, which is not installed") {
		t.Errorf("the error is %v", err)
	}
}

// TestTargets: the targets that build subjects are in the Makefile.
func TestTargets(t *testing.T) {
	for _, s := range subjects {
		if len(s.Build) == 0 || s.Build[0] != "make" {
			continue
		}
		cmd := exec.Command("make", append([]string{"--dry-run"}, s.Build[1:]...)...)
		cmd.Dir = "../../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s.Name, err, out)
		}
	}
}

// TestBounds: medians count, and pynumaflow's better server.
func TestBounds(t *testing.T) {
	program := func(micros ...float64) (all []result) {
		for _, m := range micros {
			all = append(all, result{Records: 1e6, Seconds: 1, Worker: usage{CPUSeconds: m}, Program: usage{CPUSeconds: m}})
		}
		return all
	}
	var b strings.Builder
	writeBounds(&b, map[string][]result{
		goSidecar: program(0.9, 5, 0.8), rustSidecar: program(1), pythonOne: program(2), mapServer: program(30), mapAsync: program(9),
	})
	for _, want := range []string{
		"a record | 0.900 (0.800...5.000) | yes |",
		"records/s | 1000000 (1000000...1000000) | no |",
		"CPU time | x 4.5 | no |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the bounds lack %q:\n%s", want, &b)
		}
	}
}

// TestUsageOfAProgram: the time of a subject's processes is not that of the worker.
func TestUsageOfAProgram(t *testing.T) {
	r, err := turn(t.Context(), job{sidecarSubject(t), short})
	if err != nil {
		t.Fatal(err)
	}
	if r.Program.CPUSeconds == 0 || r.Program.PeakRSS == 0 || r.Program.PeakRSS == measure.PeakRSS(os.Getpid()) {
		t.Errorf("the program has used %+v", r.Program)
	}
}
