package docs_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/pages/page"
	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// language is a page that makes a program with an SDK other than Go's.
type language struct {
	// needs is a file that is there once the SDK's packages are fetched, and target makes it.
	needs, target string
	// environment returns what keeps the package managers off the network.
	environment func(t *testing.T) []string
	// check is optional, and looks at what else the page shows.
	check func(t *testing.T, clone string, environment []string, text string)
}

// languages has the pages of SDKs by their file.
var languages = map[string]language{
	"python.md": {
		needs: "bin/sdk-python/wheels", target: "bin/sdk-python/.installed",
		environment: func(t *testing.T) []string {
			return []string{
				"PIP_NO_INDEX=1", "PIP_FIND_LINKS=" + absolute(t, "../bin/sdk-python/wheels"), "PIP_CONFIG_FILE=/dev/null",
				"PIP_DISABLE_PIP_VERSION_CHECK=1",
			}
		},
	},
	"typescript.md": {
		needs: "worker/sdks/typescript/node_modules/.package-lock.json", target: "test-sdk-typescript",
		environment: func(t *testing.T) []string {
			return []string{"npm_config_registry=" + startNPMRegistry(t), "npm_config_update_notifier=false", "npm_config_audit=false", "npm_config_fund=false"}
		},
	},
	"java.md": {
		needs: "bin/sdk-java/.fetched", target: "test-sdk-java",
		environment: func(t *testing.T) []string {
			return []string{"MAVEN_OPTS=-XX:TieredStopAtLevel=1 -Dmaven.repo.local=" + mavenRepository(t)}
		},
		check: checkMavenDependency,
	},
	"rust.md": {
		needs: "bin/sdk-rust/.fetched", target: "test-sdk-rust",
		environment: func(*testing.T) []string { return []string{"CARGO_NET_OFFLINE=true"} },
	},
}

// TestLanguages follows each page from an empty folder beside a clone to a program that
// runs, and to the content of its image. Proxies that do not exist keep it off the network.
func TestLanguages(t *testing.T) {
	millrace := buildMillrace(t)
	for document, l := range languages {
		t.Run(document, func(t *testing.T) {
			text := read(t, document)
			folder := t.TempDir()
			clone := cloneIn(t, folder, millrace)
			environment := l.follow(t, text, folder)
			shout := filepath.Join(folder, "shout")
			i := buildImage(t, shout, map[string]string{"millrace": filepath.Join(clone, "worker/sdks/rust")}, environment)
			cmd := exec.CommandContext(t.Context(), millrace, "run", "-f", "shout.yaml", "--sidecar", i.command(),
				"--input-file", "lines.txt", "--output-file", "-", "--until-drained")
			cmd.Dir, cmd.Env = shout, append(os.Environ(), i.environment...)
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if out, err := cmd.Output(); err != nil || string(out) != "HELLO\n" {
				t.Errorf("the program of the image writes %q, %v\n%s", out, err, stderr.String())
			}
			if l.check != nil {
				l.check(t, clone, environment, text)
			}
		})
	}
}

// buildMillrace builds the command and returns its path.
func buildMillrace(t *testing.T) string {
	t.Helper()
	millrace := filepath.Join(t.TempDir(), "millrace")
	if out, err := exec.Command("go", "build", "-o", millrace, "../cmd/millrace").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return millrace
}

// follow carries out the commands of a page in a folder that has a clone. It returns the
// environment in which it has done so.
func (l language) follow(t *testing.T, text, folder string) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join("..", l.needs)); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(t, "the SDK's packages are not there: run make %s", l.target)
	}
	environment := append(os.Environ(), l.environment(t)...)
	environment = append(environment, "http_proxy=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9", "no_proxy=127.0.0.1")
	r := page.Runner{
		Directory: folder, Environment: environment, Stops: true,
		LeavesOut: func(s *page.Step) bool { return s.IsLeftOut() || strings.HasPrefix(s.Command, "go -C millrace build ") },
		Reads:     func(*page.Step) bool { return false },
		Report:    func(page.Result) {},
	}
	if err := r.Run(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	return environment
}

// cloneIn makes a folder millrace that has what the pages use of a clone: the command, and
// copies of the SDKs without their built files.
func cloneIn(t *testing.T, folder, millrace string) string {
	t.Helper()
	clone := filepath.Join(folder, "millrace")
	if err := os.MkdirAll(filepath.Join(clone, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(millrace, filepath.Join(clone, "bin/millrace")); err != nil {
		t.Fatal(err)
	}
	built := map[string]bool{"node_modules": true, "dist": true, "build": true, "target": true, "__pycache__": true}
	for _, tree := range []string{"LICENSE", "worker/sdks"} {
		err := filepath.WalkDir(filepath.Join("..", tree), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case built[entry.Name()]:
				return filepath.SkipDir
			case entry.IsDir():
				return os.MkdirAll(filepath.Join(clone, strings.TrimPrefix(path, "../")), 0o755)
			default:
				return copyFile(path, filepath.Join(clone, strings.TrimPrefix(path, "../")))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Maven 3.8 knows no variable for this.
	if err := os.Mkdir(filepath.Join(clone, ".mvn"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, ".mvn/maven.config"), []byte("--offline\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return clone
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, info.Mode().Perm())
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	found, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
