package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
	"github.com/millrace-dev/millrace/hack/pages/page"
	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// guide is the document whose commands stand in a folder beside a clone.
const guide = "go-sdk.md"

// TestCommands runs the commands in the documents that need no more than this machine, and
// compares their output with the documents'.
func TestCommands(t *testing.T) {
	for _, document := range documents {
		if _, ok := languages[document]; ok || document == inference || document == grpcPage || !hasCommands(read(t, document)) {
			continue // TestLanguages, TestInference or TestGRPC runs it; or its files would end up in this repository
		}
		directory := ".."
		if document == guide {
			directory = besideAClone(t)
		}
		t.Run(document, func(t *testing.T) {
			if document == tutorial {
				startAfresh(t)
			}
			if err := page.Run(t.Context(), read(t, document), directory, func(page.Result) {}); err != nil {
				t.Error(err)
			}
			if document == guide {
				checkImage(t, filepath.Join(directory, "shout", "shout.tar"))
				checkDockerfile(t, filepath.Join(directory, "shout"))
			}
		})
	}
}

// hasCommands reports whether a page shows commands that are run.
func hasCommands(text string) bool {
	return slices.ContainsFunc(page.Blocks(text), func(b page.Block) bool { return len(b.Steps(text)) > 0 })
}

// besideAClone returns a folder with a link to this repository.
func besideAClone(t *testing.T) string {
	t.Helper()
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	if err := os.Symlink(repository, filepath.Join(directory, "millrace")); err != nil {
		t.Fatal(err)
	}
	return directory
}

const tutorial = "tutorial.md"

// startAfresh removes the files of an earlier run of the tutorial.
func startAfresh(t *testing.T) {
	t.Helper()
	if err := os.RemoveAll("../bin/tutorial"); err != nil {
		t.Fatal(err)
	}
}

// TestMakeTargets checks that the Makefile has the targets that the documents name.
func TestMakeTargets(t *testing.T) {
	targets := names(read(t, "../Makefile"), `(?m)^([a-z0-9-]+):`)
	for _, document := range documents {
		text := read(t, document)
		named := names(page.Prose(text), "`make ([a-z0-9-]+)")
		for _, step := range steps(text) {
			named = append(named, names(step.Command, `^make ([a-z0-9-]+)`)...)
		}
		for _, name := range named {
			if !slices.Contains(targets, name) {
				t.Errorf("%s: there is no make %s", document, name)
			}
		}
	}
}

// steps returns all commands of a document.
func steps(text string) (found []page.Step) {
	for _, block := range page.Blocks(text) {
		found = append(found, block.Steps(text)...)
	}
	return found
}

// TestClusterCommands checks the calls of kubectl and Helm in the documents: the flags of
// all, the chart's values, and for the tutorial that an API server does what they ask for.
func TestClusterCommands(t *testing.T) {
	api := controllerstest.Start(t)
	texts := map[string]string{}
	for _, document := range documents {
		texts[document] = read(t, document)
	}
	saveFiles(t, texts[tutorial], "../bin/tutorial")
	t.Chdir("..")
	for _, document := range documents {
		for _, step := range steps(texts[document]) {
			for _, call := range calls(t, &step) {
				var err error
				switch {
				case call[0] == "helm":
					err = checkHelm(t, call[1:])
				case document == tutorial && slices.Contains(answered, call[1]):
					err = answer(t, api, &step, call[1:])
				default:
					err = checkKubectl(t, api, call[1:])
				}
				if err != nil {
					t.Errorf("%s:%d: %s: %v", document, step.Line, strings.Join(call, " "), err)
				}
			}
		}
	}
}

// saveFiles writes the files that a document shows.
func saveFiles(t *testing.T, text, directory string) {
	t.Helper()
	if err := os.MkdirAll(directory, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, block := range page.Blocks(text) {
		if block.File == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(directory, block.File), []byte(block.Text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// answered are the commands of kubectl for which an API server alone is enough. Those that
// change something print the same without an operator.
var (
	answered = append(changing, "get", "describe")
	changing = []string{"apply", "scale", "patch", "delete"}
)

// answer has the API server answer a call, and compares the output with the page's if no
// operator is needed for it.
func answer(t *testing.T, api *controllerstest.API, step *page.Step, args []string) error {
	got, err := api.Kubectl(t, "", args...)
	if err == nil && slices.Contains(changing, args[0]) && !step.Shows(got) {
		err = fmt.Errorf("it prints\n%sand the page shows\n%s", got, step.Output)
	}
	return err
}

// calls returns the arguments of the calls of kubectl and Helm that a step makes. It runs
// the step in a shell in which these programs note their arguments and all others do
// nothing.
func calls(t *testing.T, step *page.Step) (found [][]string) {
	t.Helper()
	if !regexp.MustCompile(`\b(kubectl|helm) `).MatchString(step.Command) {
		return nil
	}
	const script = `
		kubectl() { { printf 'kubectl\n'; printf '%s\n' "$@"; echo; } >>"$NOTES"; }
		helm() { { printf 'helm\n'; printf '%s\n' "$@"; echo; } >>"$NOTES"; }
		command_not_found_handle() { true; }
		PATH=/none
	`
	notes := filepath.Join(t.TempDir(), "notes")
	cmd := exec.Command("bash", "-c", script+step.Command)
	cmd.Env = append(os.Environ(), "NOTES="+notes)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("line %d: %s: %v: %s", step.Line, step.Command, err, out)
		return nil
	}
	for text := range strings.SplitSeq(read(t, notes), "\n\n") {
		if text != "" {
			found = append(found, strings.Split(text, "\n"))
		}
	}
	return found
}

// checkKubectl checks that kubectl has a command, and that the command has the flags.
func checkKubectl(t *testing.T, api *controllerstest.API, args []string) error {
	help, err := api.Kubectl(t, "", withHelp(args)...)
	if err == nil && !strings.Contains(help, "kubectl "+args[0]) && args[0] != "-n" {
		err = errors.New("kubectl has no such command")
	}
	return err
}

// withHelp adds --help to the flags: before the command for a pod, if there is one.
func withHelp(args []string) []string {
	if at := slices.Index(args, "--"); at >= 0 {
		args = args[:at]
	}
	return append(slices.Clone(args), "--help")
}

// checkHelm checks the flags of a call, and renders the chart if it is installed.
func checkHelm(t *testing.T, args []string) error {
	if err := helm(t, withHelp(args)...); err != nil || args[0] != "install" {
		return err
	}
	return helm(t, append([]string{"template"}, args[1:]...)...)
}

func helm(t *testing.T, args ...string) error {
	t.Helper()
	const program = "bin/helm"
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(t, "no Helm: run make bin/helm")
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return errors.New(err.Error() + ": " + stderr.String())
	}
	return nil
}
