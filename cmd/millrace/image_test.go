package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// mine is a module with one program.
var mine = map[string]string{
	"go.mod":           "module example.com/mine\n\ngo 1.26\n",
	"cmd/mine/main.go": "package main\n\nfunc main() {}\n",
}

// TestImageBuild builds an image twice: its digest stays.
func TestImageBuild(t *testing.T) {
	inDirectory(t, mine)
	printed := regexp.MustCompile(`^registry\.example/team/mine:1\.0@sha256:([0-9a-f]{64}) is in mine\.tar\n$`)
	var digests []string
	for range 2 {
		out, err := command(t, "", "image", "build", "./cmd/mine", "-t", "registry.example/team/mine:1.0", "--platform", "linux/amd64,linux/arm64", "-o", "mine.tar")
		found := printed.FindStringSubmatch(out)
		if err != nil || found == nil {
			t.Fatalf("printed %q, error %v", out, err)
		}
		digests = append(digests, found[1])
	}
	if digests[0] != digests[1] {
		t.Errorf("the digests are %v", digests)
	}
	image, err := tarball.ImageFromPath("mine.tar", nil)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	labels := config.Config.Labels
	if labels["org.opencontainers.image.title"] != "mine" || labels["org.opencontainers.image.version"] != "1.0" || labels["org.opencontainers.image.vendor"] != "" {
		t.Errorf("the labels are %v", labels)
	}
}

func TestImageBuildMistakes(t *testing.T) {
	inDirectory(t, mine)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no package":       {[]string{"-t", "mine:1.0", "-o", "mine.tar"}, "name one main package, such as ./cmd/mine: there are 0 arguments"},
		"no name":          {[]string{"./cmd/mine", "-o", "mine.tar"}, "no name: name the image with -t"},
		"no output":        {[]string{"./cmd/mine", "-t", "mine:1.0"}, "no output: write the image to a file with -o FILE, or to its registry with --push"},
		"a bad name":       {[]string{"./cmd/mine", "-t", "mine", "-o", "mine.tar"}, `--tag: "mine" has no tag`},
		"a bad platform":   {[]string{"./cmd/mine", "-t", "mine:1.0", "-o", "mine.tar", "--platform", "amd64"}, `--platform: "amd64" is not like linux/amd64`},
		"a missing folder": {[]string{"./cmd/mine", "-t", "mine:1.0", "-o", "missing/mine.tar"}, "--output: open missing/mine.tar"},
		"no such registry": {[]string{"./cmd/mine", "-t", "127.0.0.1:1/mine:1.0", "--push"}, "push 127.0.0.1:1/mine:1.0: "},
		"no such package":  {[]string{"./cmd/other", "-t", "mine:1.0", "-o", "mine.tar"}, "go list ./cmd/other for linux/"},
		"many packages":    {[]string{"./cmd/mine", "./cmd/other", "-t", "mine:1.0", "-o", "mine.tar"}, "there are 2 arguments"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, "", append([]string{"image", "build"}, c.args...)...)
			expect(t, out, err, "", c.want)
		})
	}
	if _, err := os.Stat("mine.tar"); err == nil {
		t.Error("a mistake has left a file")
	}
}
