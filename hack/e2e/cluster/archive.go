package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
)

// WriteImage writes an archive in the format of docker save. Its image contains only one static
// program, which is also the entry point.
func WriteImage(archive, name, program string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read the image's program: %w", err)
	}
	layer, err := tarball(file{"program", 0o755, content})
	if err != nil {
		return err
	}
	return WriteImageOf(archive, name, layer, "/program")
}

// WriteImageOf writes an archive in the format of docker save, with an image of one layer.
func WriteImageOf(archive, name string, layer []byte, entrypoint ...string) error {
	digest := sha256.Sum256(layer)
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": entrypoint, "User": "65532:65532"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(digest[:])}},
	})
	if err != nil {
		return fmt.Errorf("encode the image's configuration: %w", err)
	}
	manifest, err := json.Marshal([]map[string]any{
		{"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"}},
	})
	if err != nil {
		return fmt.Errorf("encode the image's manifest: %w", err)
	}
	image, err := tarball(
		file{"layer.tar", 0o644, layer}, file{"config.json", 0o644, config}, file{"manifest.json", 0o644, manifest})
	if err != nil {
		return err
	}
	if err := os.WriteFile(archive, image, 0o644); err != nil {
		return fmt.Errorf("write the image's archive: %w", err)
	}
	return nil
}

// sharedLibrary matches the path of a library in the output of ldd, and that of the loader.
var sharedLibrary = regexp.MustCompile(`(?m)(?:=> |^\s*)(/\S+) \(0x`)

// WriteImageWith writes the archive of an image with one of this machine's programs. The program
// and its shared libraries stand at the paths that they have here.
func WriteImageWith(ctx context.Context, archive, name, program string) error {
	libraries, err := exec.CommandContext(ctx, "ldd", program).Output()
	if err != nil {
		return fmt.Errorf("list the libraries of %s: %w", program, err)
	}
	paths := []string{program}
	for _, found := range sharedLibrary.FindAllStringSubmatch(string(libraries), -1) {
		paths = append(paths, found[1])
	}
	var files []file
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a part of the image: %w", err)
		}
		files = append(files, file{strings.TrimPrefix(path, "/"), 0o755, content})
	}
	layer, err := tarball(files...)
	if err != nil {
		return err
	}
	return WriteImageOf(archive, name, layer, program)
}

type file struct {
	name    string
	mode    int64
	content []byte
}

func tarball(files ...file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
			return nil, fmt.Errorf("write an archive: %w", err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("write an archive: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write an archive: %w", err)
	}
	return out.Bytes(), nil
}
