package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// image is what a Dockerfile makes, as far as that goes without Docker: the stages are
// folders, which have no files of the images that they begin with, and the machine's
// programs take the place of those.
type image struct {
	t           *testing.T
	contexts    map[string]string // the folders that COPY takes files from, by name; "" is the build's
	root        string            // the folder of the present stage
	directory   string            // WORKDIR, in the image
	environment []string
	user        string
	entry       []string
}

// buildImage carries out the Dockerfile of a folder.
func buildImage(t *testing.T, folder string, contexts map[string]string, environment []string) *image {
	t.Helper()
	text := read(t, filepath.Join(folder, "Dockerfile"))
	if lines := strings.Count(text, "\n"); lines > 14 {
		t.Errorf("the Dockerfile has %d lines", lines)
	}
	i := &image{t: t, contexts: map[string]string{"": folder}}
	for name, context := range contexts {
		i.contexts[name] = context
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		verb, rest, _ := strings.Cut(line, " ")
		switch words := strings.Fields(rest); verb {
		case "":
		case "FROM":
			i.root, i.directory, i.environment, i.user, i.entry = t.TempDir(), "/", nil, "", nil
			if len(words) == 3 {
				i.contexts[words[2]] = i.root
			}
		case "WORKDIR":
			i.directory = rest
			i.makeFolder(i.directory)
		case "ENV":
			// A path in the image is one below the stage's folder here.
			i.environment = append(i.environment, strings.Replace(rest, "=/", "="+i.root+"/", 1))
		case "COPY":
			i.copy(words)
		case "RUN":
			cmd := exec.CommandContext(t.Context(), "sh", "-c", rest)
			cmd.Dir, cmd.Env = filepath.Join(i.root, i.directory), append(environment, i.environment...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		case "USER":
			i.user = rest
		case "ENTRYPOINT":
			if err := json.Unmarshal([]byte(rest), &i.entry); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		default:
			t.Fatalf("this test does not know %s", line)
		}
	}
	// The pods need a number to see that it is not root's.
	if i.user != "65532:65532" {
		t.Errorf("the image runs as %q", i.user)
	}
	return i
}

func (i *image) makeFolder(path string) {
	i.t.Helper()
	if err := os.MkdirAll(filepath.Join(i.root, path), 0o755); err != nil {
		i.t.Fatal(err)
	}
}

var stage = regexp.MustCompile(`^--from=(\w+)$`)

// copy carries out COPY. As in Docker, a folder's content is copied, and not the folder.
func (i *image) copy(words []string) {
	i.t.Helper()
	from := i.contexts[""]
	if name := stage.FindStringSubmatch(words[0]); name != nil {
		from, words = i.contexts[name[1]], words[1:]
	}
	last := len(words) - 1
	to := words[last]
	if !filepath.IsAbs(to) {
		to = filepath.Join(i.directory, to) + strings.Repeat("/", strings.Count(to[len(to)-1:], "/"))
	}
	to = i.root + to
	for _, word := range words[:last] {
		found, err := filepath.Glob(filepath.Join(from, word))
		if err != nil || len(found) == 0 {
			i.t.Fatalf("COPY %s finds nothing in %s, %v", word, from, err)
		}
		for _, path := range found {
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				i.t.Fatal(err)
			}
			source := path
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				source += "/."
				if err := os.MkdirAll(to, 0o755); err != nil {
					i.t.Fatal(err)
				}
			}
			if out, err := exec.Command("cp", "-R", source, to).CombinedOutput(); err != nil {
				i.t.Fatalf("%v: %s", err, out)
			}
		}
	}
}

// command returns a command that does what a container of the image does.
func (i *image) command() string {
	entry := append([]string(nil), i.entry...)
	if filepath.IsAbs(entry[0]) {
		entry[0] = i.root + entry[0]
	}
	return "env -C '" + filepath.Join(i.root, i.directory) + "' '" + strings.Join(entry, "' '") + "'"
}
