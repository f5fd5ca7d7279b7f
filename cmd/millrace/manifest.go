package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// manifest is the StreamProcessor of a run and the file it was read from.
type manifest struct {
	path      string
	processor *v1alpha1.StreamProcessor
}

// readManifest reads the one StreamProcessor of a file; - is the standard input.
func readManifest(path string) (manifest, error) {
	content, err := readFile(path)
	if err != nil {
		return manifest{}, fmt.Errorf("-f: %w", err)
	}
	processor, err := v1alpha1.Decode(content)
	if err != nil {
		return manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return manifest{path: path, processor: processor}, nil
}

func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

// checkProgram reports whether --exec was given if and only if it is needed.
func (m *manifest) checkProgram(program string) error {
	container := m.processor.Spec.Processor.Container
	switch {
	case container != nil && program == "":
		return fmt.Errorf("%s: spec.processor.container: an image can't be run here: build the program of %s and name it with --exec", m.path, container.Image)
	case container == nil && program != "":
		return fmt.Errorf("--exec: %s has no spec.processor.container that the program could stand for", m.path)
	default:
		return nil
	}
}

// workerConfig returns the configuration that a pod of this StreamProcessor
// would get. Its files with credentials are beside the manifest.
func (m *manifest) workerConfig() (config.Config, error) {
	cfg, err := resources.WorkerConfig(m.processor, filepath.Dir(m.path))
	// Nothing here runs in a pod, but who tries a manifest wants to know.
	if err := errors.Join(err, resources.CheckForCluster(m.processor)); err != nil {
		return config.Config{}, fmt.Errorf("%s: %w", m.path, err)
	}
	return cfg, nil
}
