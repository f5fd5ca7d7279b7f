package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"
)

// Load reads the configuration file path as Parse does.
func Load(path string) (Config, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(content)
	if err != nil {
		return Config{}, fmt.Errorf("configuration file %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a configuration in YAML or JSON and fills what it does not say
// with the defaults. Fields that don't exist or stand there twice are errors.
// What the fields hold is not judged: that is Validate's part.
func Parse(content []byte) (Config, error) {
	if err := checkSingle(content); err != nil {
		return Config{}, err
	}
	tree, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return Config{}, fmt.Errorf("not readable as YAML: %w", err)
	}
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return Config{}, errors.New("it is empty: a configuration has at least name, kafka, input and output")
	}
	c := Config{Telemetry: Telemetry{Listen: defaultListen}}
	if err := errors.Join(decode("", tree, reflect.ValueOf(&c).Elem())...); err != nil {
		return Config{}, err
	}
	Default(&c)
	return c, nil
}

// checkSingle refuses what follows a first document, which the YAML parser
// would leave unread without a word.
func checkSingle(content []byte) error {
	var begun, ended bool
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "---" || line == "..." || strings.HasPrefix(line, "--- ") {
			ended = begun
			line = strings.TrimLeft(line, "-. ")
		}
		if line == "" || strings.HasPrefix(line, "#") || !begun && strings.HasPrefix(line, "%") {
			continue
		}
		if ended {
			return errors.New("there is more than one YAML document in it: write one configuration in a file")
		}
		begun = true
	}
	return nil
}
