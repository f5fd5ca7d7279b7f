package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
)

// manifest is the StreamProcessor of a run and the file it was read from.
type manifest struct {
	path      string
	processor *v1alpha1.StreamProcessor
}

// readManifest reads the one StreamProcessor of a file, which may hold other
// objects too; - is the standard input.
func readManifest(path string) (manifest, error) {
	content, err := readFile(path)
	if err != nil {
		return manifest{}, fmt.Errorf("-f: %w", err)
	}
	m := manifest{path: path}
	documents := k8syaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = m.add(document)
		}
		if err != nil {
			return manifest{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	if m.processor == nil {
		return manifest{}, fmt.Errorf("%s: there is no StreamProcessor in it", path)
	}
	return m, nil
}

func readFile(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(path)
}

// add takes a document's StreamProcessor; what else there is does not matter
// here.
func (m *manifest) add(document []byte) error {
	var object struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &object); err != nil {
		return err
	}
	if object.Kind != "StreamProcessor" {
		return nil
	}
	if m.processor != nil {
		return errors.New("there is more than one StreamProcessor in it; run them one by one")
	}
	processor, err := v1alpha1.Decode(document)
	m.processor = processor
	return err
}

// checkProgram tells whether --exec was given if and only if it is needed.
func (m *manifest) checkProgram(program string) error {
	image := m.processor.Spec.Processor.Image
	switch {
	case image != nil && program == "":
		return fmt.Errorf("%s: spec.processor.image: images can't be run here: build the program of %s and name it with --exec", m.path, image.Name)
	case image == nil && program != "":
		return fmt.Errorf("--exec: %s has no spec.processor.image that the program could stand for", m.path)
	default:
		return nil
	}
}

// workerConfig returns the configuration that a pod of this StreamProcessor
// would get, and for a real cluster with the files of secrets that are here.
func (m *manifest) workerConfig(realCluster bool) (config.Config, error) {
	cfg, err := resources.WorkerConfig(m.processor, m.localSecrets())
	if err == nil && realCluster {
		err = missingSecrets(cfg.Kafka)
	}
	if err != nil {
		return config.Config{}, fmt.Errorf("%s: %w", m.path, err)
	}
	return cfg, nil
}
