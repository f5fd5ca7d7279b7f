package page

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// leftOut holds the programs that Run does not start: they need a cluster, a registry or a
// broker, or take long, as make does.
var leftOut = []string{
	"kubectl", "helm", "kind", "skopeo", "docker", "curl", "cosign", "sha256sum", "make", "kafka-consumer-groups.sh",
	"identity=(--certificate-identity-regexp",
}

// IsLeftOut reports whether Run leaves a step out.
func (s *Step) IsLeftOut() bool { return slices.Contains(leftOut, s.Program()) }

// Result is a step that was run.
type Result struct {
	Step
	Got string
}

// Run runs those steps of a page that need no more than this machine, in a shell that begins
// in a directory. It passes each result to report. A step that differs does not keep those
// after it from running.
func Run(ctx context.Context, text, directory string, report func(Result)) error {
	r := Runner{Directory: directory, LeavesOut: (*Step).IsLeftOut, Reads: func(*Step) bool { return false }, Report: report}
	return r.Run(ctx, text)
}

// Runner runs the steps of a page. The functions are required.
type Runner struct {
	// Directory is where the shell begins.
	Directory string
	// Environment has the shell's variables, as NAME=VALUE; nil for those of this process.
	Environment []string
	// LeavesOut reports whether a step is left out.
	LeavesOut func(*Step) bool
	// Reads reports whether a step changes nothing. If its output differs, it is run again
	// until Patience has passed.
	Reads    func(*Step) bool
	Patience time.Duration
	// Stops ends the run at the first step that differs, since those after it need it.
	Stops bool
	// Report is called with each result, of a step that is run again with the last one.
	Report func(Result)
}

// Run writes the files of a page and runs its commands, in their order and in one shell. The
// error of a step whose output differs says where it stands in the page.
func (r *Runner) Run(ctx context.Context, text string) error {
	sh, err := start(ctx, r.Directory, r.Environment)
	if err != nil {
		return err
	}
	var errs []error
	for _, b := range Blocks(text) {
		if b.File != "" {
			if _, _, err := sh.run(fmt.Sprintf("cat >'%s' <<'%s'\n%s%s\n", b.File, ending, b.Text, ending)); err != nil {
				return errors.Join(err, sh.end())
			}
		}
		for _, step := range b.Steps(text) {
			if r.LeavesOut(&step) {
				continue
			}
			differs, err := r.step(sh, &step)
			if err != nil {
				return errors.Join(fmt.Errorf("line %d: %s: %w", step.Line, step.Command, err), sh.end())
			}
			errs = append(errs, differs)
			if differs != nil && r.Stops {
				return errors.Join(append(errs, sh.end())...)
			}
		}
	}
	return errors.Join(append(errs, sh.end())...)
}

// step runs a step until its output is that of the page, or its time is over. It returns how
// the output differs, and why the shell can't go on.
func (r *Runner) step(sh *shell, step *Step) (differs, err error) {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for deadline := time.Now().Add(r.Patience); ; <-tick.C {
		got, code, err := sh.run(step.Command)
		if err != nil {
			return nil, err
		}
		differs := judge(step, got, code)
		if differs == nil || !r.Reads(step) || time.Now().After(deadline) {
			r.Report(Result{*step, got})
			return differs, nil
		}
	}
}

// again is the time between two runs of a step that reads.
const again = 200 * time.Millisecond

// judge compares a step's output. A command that fails has to say so in the page.
func judge(step *Step, got string, code int) error {
	command := strings.TrimSpace(step.Command)
	switch {
	case !matches(step.Output, got):
		return fmt.Errorf("line %d: $ %s\nprints\n%sand the page shows\n%s", step.Line, command, got, step.Output)
	case code != 0 && !strings.Contains(step.Output, "error: "):
		return fmt.Errorf("line %d: $ %s\nends with exit code %d, and the page shows no error", step.Line, command, code)
	default:
		return nil
	}
}

const (
	// mark ends the output of a command.
	mark = "=END-OF-THE-COMMAND="
	// ending ends the text of a file.
	ending = "=END-OF-THE-FILE="
)

// shell is a running bash.
type shell struct {
	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func start(ctx context.Context, directory string, environment []string) (*shell, error) {
	sh := &shell{process: exec.CommandContext(ctx, "bash", "--noprofile", "--norc")}
	sh.process.Dir, sh.process.Env = directory, environment
	in, err := sh.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := sh.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	sh.process.Stderr = sh.process.Stdout
	sh.in, sh.out = in, bufio.NewReader(out)
	return sh, sh.process.Start()
}

// run runs a command, and returns what it has written and its exit code.
func (sh *shell) run(command string) (output string, code int, err error) {
	if _, err := fmt.Fprintf(sh.in, "{ %s\n} </dev/null\nprintf '%s%%d\\n' $?\n", strings.TrimRight(command, "\n"), mark); err != nil {
		return "", 0, err
	}
	var written strings.Builder
	for {
		line, err := sh.out.ReadString('\n')
		before, after, ended := strings.Cut(line, mark)
		written.WriteString(before)
		if ended {
			code, err = strconv.Atoi(strings.TrimSpace(after))
			return written.String(), code, err
		}
		if err != nil {
			return written.String(), 0, fmt.Errorf("the shell has ended after %q: %w", written.String(), err)
		}
	}
}

func (sh *shell) end() error {
	return errors.Join(sh.in.Close(), sh.process.Wait())
}
