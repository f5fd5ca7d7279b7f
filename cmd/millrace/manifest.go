package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// manifest is the StreamProcessor of a run, and its file.
type manifest struct {
	path      string
	processor *v1alpha1.StreamProcessor
}

// readManifest reads a file with one StreamProcessor; - names the standard input.
func readManifest(path string) (manifest, error) {
	content, err := readFile(path)
	if err != nil {
		return manifest{}, fmt.Errorf("-f: %w", err)
	}
	// What the API server would refuse may still decode: of an expression that YAML takes
	// for the name of a type nothing is left, and a run would do without it.
	if err := mistakes(displayName(path), content); err != nil {
		return manifest{}, err
	}
	processor, err := v1alpha1.Decode(content)
	if err != nil {
		return manifest{}, fmt.Errorf("%s: %w", path, err)
	}
	return manifest{path: path, processor: processor}, nil
}

// defaultNamespace is the namespace of a manifest that names none, as for kubectl.
const defaultNamespace = "default"

// setNamespace sets the namespace of a manifest that names none: the one of --namespace,
// or else the default.
func (m *manifest) setNamespace(flag string) error {
	if own := m.processor.Namespace; own != "" && flag != "" && own != flag {
		return fmt.Errorf("--namespace is %s, but the namespace in %s is %s", flag, m.path, own)
	}
	m.processor.Namespace = cmp.Or(m.processor.Namespace, flag, defaultNamespace)
	return nil
}

func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

// checkProgram returns an error if the manifest needs --exec and the user has not given
// it, or the other way round.
func (m *manifest) checkProgram(program string) error {
	container := m.processor.Spec.Processor.Container
	switch {
	case m.processor.Spec.Processor.Sidecar != nil:
		return fmt.Errorf("%s: spec.processor.sidecar: this command can't run an image: name the command of the program with --sidecar", m.path)
	case container != nil && program == "":
		return fmt.Errorf("%s: spec.processor.container: this command can't run an image: build the program of %s and name it with --exec, or with --sidecar if it is not built on the Go SDK", m.path, container.Image)
	case container == nil && program != "":
		return fmt.Errorf("--exec: %s has no spec.processor.container that the program could replace", m.path)
	default:
		return nil
	}
}

// workerConfig returns the configuration that the operator gives a pod of this
// StreamProcessor, except that the files with credentials are beside the manifest.
func (m *manifest) workerConfig() (config.Config, error) {
	cfg, err := resources.WorkerConfig(m.processor, filepath.Dir(m.path))
	// These checks matter only in a cluster, but a user who tries a manifest here
	// learns of its mistakes early.
	if err := errors.Join(err, resources.CheckForCluster(m.processor)); err != nil {
		return config.Config{}, fmt.Errorf("%s: %w", m.path, err)
	}
	return cfg, nil
}
