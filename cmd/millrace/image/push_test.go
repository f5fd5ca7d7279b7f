package image

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// registryOf starts a registry on loopback that lets in only one user, and returns its host.
func registryOf(t *testing.T, user, password string) string {
	t.Helper()
	registered := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		registered.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// logIn writes what docker login writes for a user.
func logIn(t *testing.T, host, user, password string) {
	t.Helper()
	dir := t.TempDir()
	config := `{"auths": {"` + host + `": {"username": "` + user + `", "password": "` + password + `"}}}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
}

// TestPush pushes images to a registry and reads them back.
func TestPush(t *testing.T) {
	host := registryOf(t, "ann", "secret")
	logIn(t, host, "ann", "secret")
	auth := remote.WithAuth(&authn.Basic{Username: "ann", Password: "secret"})

	one := tagged(t, host+"/team/mine:1.0")
	digest, err := Push(t.Context(), one, []Image{assembled(t, amd64)})
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(one, auth)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	if got, err := image.Digest(); got != digest || err != nil {
		t.Errorf("the registry has %v, want %v; %v", got, digest, err)
	}

	two := tagged(t, host+"/team/mine:2.0")
	if _, err := Push(t.Context(), two, []Image{assembled(t, amd64), assembled(t, arm64)}); err != nil {
		t.Fatal(err)
	}
	for _, platform := range []v1.Platform{amd64, arm64} {
		image, err := remote.Image(two, auth, remote.WithPlatform(platform))
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil || config.Architecture != platform.Architecture {
			t.Errorf("the registry has %+v for %s, %v", config, platform, err)
		}
	}
}

// TestPushWithoutCredentials: the error says how to get some.
func TestPushWithoutCredentials(t *testing.T) {
	host := registryOf(t, "ann", "secret")
	logIn(t, host, "ann", "wrong")
	_, err := Push(t.Context(), tagged(t, host+"/team/mine:1.0"), []Image{assembled(t, amd64)})
	if err == nil || !strings.Contains(err.Error(), "push "+host+"/team/mine:1.0: ") || !strings.HasSuffix(err.Error(), ": log in with docker login "+host) {
		t.Errorf("got %v", err)
	}
}
