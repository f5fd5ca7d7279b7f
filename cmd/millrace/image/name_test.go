package image

import (
	"strings"
	"testing"
)

func TestBadNames(t *testing.T) {
	for text, want := range map[string]string{
		"mine":                    `"mine" has no tag: write mine:1.0`,
		"localhost:5000/mine":     "has no tag",
		"registry.example/Mine:1": "repository can only contain",
		"mine:":                   "must specify a tag name",
		"mine:a b":                "tag can only contain",
		"mine@sha256:0":           "repository can only contain",
		"https://example/mine:1":  "begins with https://: write example/mine:1",
		"":                        "a repository name must be specified",
	} {
		if _, err := ParseName(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func TestBadPlatforms(t *testing.T) {
	for text, want := range map[string]string{
		"windows/amd64":           `"windows/amd64" is not like linux/amd64`,
		"linux":                   "is not like",
		"linux/arm/v7":            "is not like",
		"linux/amd64:1":           "is not like",
		"linux/amd64/v2/x":        "is not like",
		"":                        "is not like",
		"linux/amd64,linux/amd64": "linux/amd64 is there twice",
	} {
		if _, err := ParsePlatforms(strings.Split(text, ",")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
