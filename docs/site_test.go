package docs_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// loaded matches the addresses that a browser loads by itself when it shows a page.
var loaded = regexp.MustCompile(`<(?:script|img|iframe)[^>]*\ssrc="?([^">\s]+)|<link[^>]*\shref="?([^">\s]+)`)

// TestSite builds the site: MkDocs finds no dead link, and no page that the navigation
// leaves out. No page loads anything from another site, so all can be read offline.
func TestSite(t *testing.T) {
	site := t.TempDir()
	build(t, site)
	pages := 0
	err := filepath.WalkDir(site, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".html" {
			return err
		}
		pages++
		for _, found := range loaded.FindAllStringSubmatch(read(t, path), -1) {
			if address := found[1] + found[2]; strings.Contains(address, "//") {
				t.Errorf("%s loads %s", strings.TrimPrefix(path, site), address)
			}
		}
		return nil
	})
	if err != nil || pages < len(documents) {
		t.Errorf("%d pages, error %v", pages, err)
	}
}

// build builds the site. A proxy that does not exist shows that it needs no network.
func build(t *testing.T, site string) {
	t.Helper()
	program, err := filepath.Abs("../bin/mkdocs/bin/mkdocs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(t, "no MkDocs: run make docs")
	}
	cmd := exec.Command(program, "build", "--config-file", "../hack/site/mkdocs.yml", "--site-dir", site)
	cmd.Env = append(os.Environ(), "NO_MKDOCS_2_WARNING=1", "http_proxy=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
