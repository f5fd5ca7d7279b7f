package docs_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// npmPackage is a package of npm's lock file.
type npmPackage map[string]any

// startNPMRegistry starts a registry of the packages in the SDK's lock file, with those
// files that npm has in its cache, and returns its address.
func startNPMRegistry(t *testing.T) string {
	t.Helper()
	var lock struct {
		Packages map[string]npmPackage `json:"packages"`
	}
	if err := json.Unmarshal([]byte(read(t, "../worker/sdks/typescript/package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("npm", "config", "get", "cache").Output()
	if err != nil {
		t.Fatal(err)
	}
	contents := filepath.Join(strings.TrimSpace(string(cache)), "_cacache", "content-v2", "sha512")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, file := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/-/package.tgz")
		switch found, ok := lock.Packages["node_modules/"+name]; {
		case !ok:
			http.NotFound(w, r)
		case file:
			http.ServeFile(w, r, found.content(contents))
		default:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(found.document(name, "http://"+r.Host+"/"+name+"/-/package.tgz"))
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// content returns the path of the package's file in npm's cache, by its hash.
func (p npmPackage) content(contents string) string {
	encoded, _ := strings.CutPrefix(p["integrity"].(string), "sha512-")
	hash, _ := base64.StdEncoding.DecodeString(encoded)
	digits := hex.EncodeToString(hash)
	return filepath.Join(contents, digits[:2], digits[2:4], digits[4:])
}

// document returns what a registry says of a package with one version.
func (p npmPackage) document(name, file string) map[string]any {
	version := maps.Clone(p)
	version["name"] = name
	version["dist"] = map[string]any{"integrity": p["integrity"], "tarball": file}
	for _, own := range []string{"integrity", "dev", "optional"} {
		delete(version, own) // npm's notes on this project
	}
	return map[string]any{
		"name":      name,
		"dist-tags": map[string]any{"latest": p["version"]},
		"versions":  map[string]any{p["version"].(string): version},
	}
}

// mavenRepository returns a repository with links to the packages of the user's own, so that
// `mvn install` leaves no trace there.
func mavenRepository(t *testing.T) string {
	t.Helper()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(home, ".m2", "repository")
	entries, err := os.ReadDir(own)
	if err != nil {
		t.Fatal(err)
	}
	repository := t.TempDir()
	for _, e := range entries {
		if e.Name() == "dev" {
			continue // dev.millrace
		}
		if err := os.Symlink(filepath.Join(own, e.Name()), filepath.Join(repository, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return repository
}

// checkMavenDependency resolves the dependency that the page shows, in a project that has
// nothing else.
func checkMavenDependency(t *testing.T, _ string, environment []string, text string) {
	t.Helper()
	_, dependency, _ := strings.Cut(text, "```xml\n")
	dependency, _, _ = strings.Cut(dependency, "```")
	project := `<project><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>b</artifactId><version>1</version><dependencies>` +
		dependency + `</dependencies></project>`
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "pom.xml"), []byte(project), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "mvn", "--batch-mode", "--offline",
		"org.apache.maven.plugins:maven-dependency-plugin:3.11.0:build-classpath")
	cmd.Dir, cmd.Env = folder, environment
	out, err := cmd.CombinedOutput()
	for _, jar := range []string{"/millrace-0.1.0.jar", "/protobuf-java-"} {
		if err != nil || !strings.Contains(string(out), jar) {
			t.Fatalf("the class path has no %s, %v:\n%s", jar, err, out)
		}
	}
}
