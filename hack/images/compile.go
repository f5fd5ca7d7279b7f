package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// binary is a program as the Go toolchain built it.
type binary struct {
	content []byte
	info    *debug.BuildInfo
	revision
}

// compile builds a main package of a module for a platform.
func compile(module, pkg string, rev revision, platform v1.Platform) (binary, error) {
	dir, err := os.MkdirTemp("", "images-")
	if err != nil {
		return binary{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "program")
	// timetzdata embeds the time zones, which expressions may use and the image lacks.
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "timetzdata", "-ldflags", "-s -w",
		fmt.Sprintf("-buildvcs=%t", rev.id != ""), "-o", file, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Architecture)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return binary{}, fmt.Errorf("go build %s: %w", pkg, err)
	}
	return readBinary(file, rev)
}

// readBinary reads a program that the Go toolchain has built.
func readBinary(file string, rev revision) (binary, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return binary{}, err
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	return binary{content: content, info: info, revision: rev}, err
}
