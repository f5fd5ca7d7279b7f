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

// Parse reads a configuration in YAML or JSON and fills what it does not say
// with the defaults. Fields that stand there twice are errors, and so is a newer
// Version. Parse ignores fields that it does not know, as a newer operator may
// write, and returns them for a warning, each as its path and the fields that
// there are. What the fields hold is not judged: that is Validate's part.
func Parse(content []byte) (c Config, unknown []string, err error) {
	if err := checkSingle(content); err != nil {
		return Config{}, nil, err
	}
	tree, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return Config{}, nil, fmt.Errorf("not readable as YAML: %w", err)
	}
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return Config{}, nil, errors.New("it is empty: a configuration has at least name, kafka and input")
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
