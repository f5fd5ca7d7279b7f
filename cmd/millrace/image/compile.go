package image

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Binary is a program as the Go toolchain built it.
type Binary struct {
	content []byte
	info    *debug.BuildInfo
	Revision
}

// compile builds the program for a platform.
func (s *Source) compile(ctx context.Context, rev Revision, platform v1.Platform) (Binary, error) {
	if err := s.checkMain(ctx, platform); err != nil {
		return Binary{}, err
	}
	dir, err := os.MkdirTemp("", "millrace-image-")
	if err != nil {
		return Binary{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "program")
	// timetzdata embeds the time zones, which programs may use and the image lacks.
	_, err = s.toolchain(ctx, platform, "build", "-trimpath", "-tags", "timetzdata", "-ldflags", "-s -w",
		fmt.Sprintf("-buildvcs=%t", rev.id != ""), "-o", file, s.Package)
	if err != nil {
		return Binary{}, err
	}
	return ReadBinary(file, rev)
}

// checkMain checks that the package is a single main package: the toolchain builds others
// too, and then writes no program.
func (s *Source) checkMain(ctx context.Context, platform v1.Platform) error {
	out, err := s.toolchain(ctx, platform, "list", "-f", "{{.Name}}", s.Package)
	if err != nil {
		return err
	}
	switch names := strings.Fields(out); {
	case len(names) != 1:
		return fmt.Errorf("%s stands for %d packages: name one main package", s.Package, len(names))
	case names[0] != "main":
		return fmt.Errorf("%s is package %s: name a main package", s.Package, names[0])
	default:
		return nil
	}
}

// toolchain runs a command of the Go toolchain for a platform and returns its output.
func (s *Source) toolchain(ctx context.Context, platform v1.Platform, command string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{command}, args...)...)
	cmd.Dir, cmd.Stderr = s.Dir, s.Messages
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Architecture)
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("there is no go command in PATH: install Go from https://go.dev/dl")
	}
	if err != nil {
		err = fmt.Errorf("go %s %s for %s: %w", command, s.Package, platform, err)
	}
	return string(out), err
}

// ReadBinary reads a program that the Go toolchain has built.
func ReadBinary(file string, rev Revision) (Binary, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Binary{}, err
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	return Binary{content: content, info: info, Revision: rev}, err
}
