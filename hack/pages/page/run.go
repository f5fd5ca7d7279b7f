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

// Run writes the files of a page and runs its commands, in their order and in one shell
// that begins in a directory. It passes each result to report. The error of a step whose
// output differs says where it stands in the page; the steps after it run even so.
func Run(ctx context.Context, text, directory string, report func(Result)) error {
	sh, err := start(ctx, directory)
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
			if step.IsLeftOut() {
				continue
			}
			got, code, err := sh.run(step.Command)
			if err != nil {
				return errors.Join(fmt.Errorf("line %d: %s: %w", step.Line, step.Command, err), sh.end())
			}
			report(Result{step, got})
			errs = append(errs, judge(&step, got, code))
		}
	}
	return errors.Join(append(errs, sh.end())...)
}

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

func start(ctx context.Context, directory string) (*shell, error) {
	sh := &shell{process: exec.CommandContext(ctx, "bash", "--noprofile", "--norc")}
	sh.process.Dir = directory
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
