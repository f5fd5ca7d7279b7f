package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"

	"sigs.k8s.io/yaml"
)

// ParseExpressions reads the content of Processor.CELFile: the fields of CEL, in YAML or
// JSON. Unlike Parse it refuses a field that it does not know: records that are processed
// without one of their expressions have wrong results.
func ParseExpressions(content []byte) (*CEL, error) {
	if err := checkSingle(content); err != nil {
		return nil, err
	}
	tree, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return nil, fmt.Errorf("not readable as YAML: %w", err)
	}
	if bytes.Equal(bytes.TrimSpace(tree), []byte("null")) {
		return nil, errors.New("the file is empty: write {} to copy records")
	}
	var cel CEL
	var d decoder
	d.decode("processor.cel", tree, reflect.ValueOf(&cel).Elem())
	if err := d.all(); err != nil {
		return nil, err
	}
	return &cel, nil
}

// ExpressionsVersion returns the version of a file with expressions: a hash of its content.
// The operator's status and the workers' /status and logs show it.
func ExpressionsVersion(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:8])
}
