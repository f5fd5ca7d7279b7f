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

// Load reads the configuration file at path. See Parse for the results.
func Load(path string) (c Config, unknown []string, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Config{}, nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, unknown, err = Parse(content)
	if err != nil {
		return Config{}, nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	return c, unknown, nil
}

// Parse reads a configuration in YAML or JSON and sets absent fields to their defaults.
// It refuses a file that has a field twice or a newer Version. A newer operator may
// write fields that Parse does not know; it ignores them and returns a text about each,
// for a warning, with its path and the known fields. Parse does not check the fields'
// values: Validate does.
func Parse(content []byte) (c Config, unknown []string, err error) {
	if err := checkSingle(content); err != nil {
		return Config{}, nil, err
	}
	tree, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return Config{}, nil, fmt.Errorf("not readable as YAML: %w", err)
	}
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return Config{}, nil, errors.New("the file is empty: a configuration has at least name, kafka and input")
	}
	if err := checkVersion(tree); err != nil {
		return Config{}, nil, err
	}
	c = Config{Telemetry: Telemetry{Listen: defaultListen}}
	var d decoder
	d.decode("", tree, reflect.ValueOf(&c).Elem())
	if len(d.wrong) > 0 {
		return Config{}, nil, d.all()
	}
	Default(&c)
	return c, d.unknown, nil
}

// checkSingle refuses a second document. The YAML parser would ignore it without an
// error.
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
			return errors.New("the file has more than one YAML document: write one configuration in a file")
		}
		begun = true
	}
	return nil
}
