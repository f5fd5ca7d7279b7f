package main

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sidecarCommand returns the command line of the protocol's test program.
func sidecarCommand() string { return "env " + asSidecar + "=1 '" + os.Args[0] + "'" }

// TestRunWithASidecar: a program that connects to the worker's socket takes the place of the
// manifest's processor. It is started again when it ends, and no record is lost with it.
func TestRunWithASidecar(t *testing.T) {
	content := "a\nexit\nb\nfilter\nc\n"
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, "  processor: {sidecar: {image: registry/program, processes: 3, batch: {maxRecords: 2}}}\n  failure: {deadLetter: {topic: dlq}, maxAttempts: 2, backoff: {initial: 1ms, max: 1ms}}\n"),
		"--sidecar", sidecarCommand(), "--input-file", writeFile(t, "in", []byte(content)), "--until-drained")
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.stderr)
	}
	if n := strings.Count(o.stderr, "a process has connected"); n < 3 {
		t.Errorf("%d processes have connected, want those of the manifest", n)
	}
	if got := strings.Join(o.lines, " "); got != "a b c" {
		t.Errorf("the output is %q, want a, b and c", got)
	}
	for _, want := range []string{"a process has connected", "the sidecar has ended; the command is started again", "exit status 3"} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("there is no %q in\n%s", want, o.stderr)
		}
	}
}

// lined is a manifest whose program gets lines, and an argument.
const lined = "  processor: {sidecar: {image: registry/sed, adapter: lines, processes: 2, command: [sed, -u], args: ['s/total/sum/']}}\n"

// TestRunWithLines: a program of no SDK gets lines if the manifest says so, and the manifest's
// arguments.
func TestRunWithLines(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, lined), "--sidecar", "sed -u",
		"--input-file", writeFile(t, "in", []byte("{\"total\": 1}\ntext\n")), "--until-drained")
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.stderr)
	}
	slices.Sort(o.lines)
	if got := strings.Join(o.lines, " "); got != `text {"sum":1}` {
		t.Errorf("the output is %q", got)
	}
}

// TestAProgramsVariables: a program gets those of the manifest that this machine does not set
// otherwise.
func TestAProgramsVariables(t *testing.T) {
	t.Setenv("SECOND", "here")
	manifest := "  processor: {sidecar: {image: registry/sed, adapter: lines, command: [sed], env: [{name: FIRST, value: first 1}, {name: SECOND, value: there}, " +
		"{name: THIRD, valueFrom: {secretKeyRef: {name: a, key: b}}}]}}\n"
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, manifest), "--sidecar", `sed -u "s/text/$FIRST, $SECOND, ${THIRD-unset}/"`,
		"--input-file", writeFile(t, "in", []byte("text\n")), "--until-drained")
	if o.err != nil {
		t.Fatalf("%v\n%s", o.err, o.stderr)
	}
	if got := strings.Join(o.lines, " "); got != "first 1, here, unset" {
		t.Errorf("the output is %q", got)
	}
}

// TestLinesThatCantBeRun: a program that ends at once ends the run, with its last line.
func TestLinesThatCantBeRun(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, lined), "--sidecar", "sh -c 'echo no such filter >&2; exit 3'",
		"--input-file", writeFile(t, "in", []byte("a\n")), "--until-drained")
	if want := "the program can't run: the program has ended while it held no record: exit status 3; its last line: no such filter"; o.err == nil || !strings.Contains(o.err.Error(), want) {
		t.Errorf("the error is %v, want one with %q", o.err, want)
	}
}

// TestASidecarsImageCantRunHere: the user learns which flag names a command instead.
func TestASidecarsImageCantRunHere(t *testing.T) {
	for _, flags := range [][]string{nil, {"--exec", "program"}} {
		args := append([]string{"-f", writeManifest(t, "  processor: {sidecar: {image: registry/program}}\n")}, flags...)
		o := millraceRun(testContext(t), t, nil, args...)
		if o.err == nil || !strings.Contains(o.err.Error(), "spec.processor.sidecar: this command can't run an image: name the command of the program with --sidecar") {
			t.Errorf("%q: the error is %v", flags, o.err)
		}
	}
}

// TestASidecarThatCantWork ends the run, with the last lines of the program.
func TestASidecarThatCantWork(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--sidecar", "sh -c 'echo no module named orders >&2; exit 4'",
		"--input-file", writeFile(t, "in", []byte("a\n")), "--until-drained")
	for _, want := range []string{"--sidecar: the command failed before it had connected to the worker: exit status 4", "no module named orders"} {
		if o.err == nil || !strings.Contains(o.err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", o.err, want)
		}
	}
}

// TestASidecarThatDoesNotConnect: a program that has forgotten to run its processor ends in
// good order, so the error says what is missing.
func TestASidecarThatDoesNotConnect(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--sidecar", "true",
		"--input-file", writeFile(t, "in", []byte("a\n")), "--until-drained")
	if want := "it ended by itself, without an error; a program connects when it calls its SDK's run"; o.err == nil || !strings.Contains(o.err.Error(), want) {
		t.Errorf("the error is %v, want one with %q", o.err, want)
	}
}

// TestACompanionEndsWithItsChildren: a sidecar's processes must not outlive the run, whether
// they take SIGTERM or not.
func TestACompanionEndsWithItsChildren(t *testing.T) {
	out := newWatchedOutput()
	c := startCompanion(&companion{
		run: &sidecarRun{
			command: `sh -c 'trap "" TERM; sleep 600 & echo child $! ended; trap "exit 0" TERM; wait'`, screen: newScreen(out),
		},
		connected: func() bool { return true }, useless: func(error) {},
	})
	out.await(t, "ended\n")
	_, rest, _ := strings.Cut(out.String(), "child ")
	text, _, _ := strings.Cut(rest, " ")
	child, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("no child in %q", out)
	}
	c.close()
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(child, 0) == nil && !isZombie(child); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("the child outlives the sidecar")
		}
	}
}

// isZombie reports whether a process has ended, and only its parent has not noticed.
func isZombie(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(string(state), "Z")
}
