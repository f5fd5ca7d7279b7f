// Package cases runs the cases that stand beside a manifest: records of the input, and the
// records that must become of them. It runs them through the worker's own processor, without
// Kafka.
package cases

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// File is a file with cases.
type File struct {
	Cases []Case `json:"cases"`
}

// Case says what must become of some records.
type Case struct {
	Name string   `json:"name"`
	In   []Record `json:"in"`
	// Out are all records that are written, in the order of the records that they are made
	// of. Of each, the parts that are written here are compared.
	Out []Content `json:"out,omitempty"`
	// DeadLetters, Dropped and Halted are the records that fail. failure.onExhausted says
	// which of them a case may have.
	DeadLetters []Failure `json:"deadLetters,omitempty"`
	Dropped     []Failure `json:"dropped,omitempty"`
	Halted      []Failure `json:"halted,omitempty"`

	// Line is where the case begins in its file, from 1.
	Line int `json:"-"`
}

// Failure is a record that fails.
type Failure struct {
	Content `json:",inline"`
	// Error is a part of the error.
	Error string `json:"error,omitempty"`
}

// Parse reads a file with cases.
func Parse(text []byte) ([]Case, error) {
	tree, err := read(text)
	if err != nil {
		return nil, err
	}
	if err := checkFields(text); err != nil {
		return nil, err
	}
	var file File
	if err := v1alpha1.UnmarshalStrict(tree, &file); err != nil {
		return nil, err
	}
	if len(file.Cases) == 0 {
		return nil, errors.New("it has no cases: write a list called cases, each with name, in and out")
	}
	var errs []error
	lines := linesOf(text)
	for i := range file.Cases {
		c := &file.Cases[i]
		if i < len(lines) {
			c.Line = lines[i]
		}
		errs = append(errs, c.check(fmt.Sprintf("line %d: cases[%d]", c.Line, i)))
	}
	return file.Cases, errors.Join(errs...)
}

// read returns a YAML document as JSON.
func read(text []byte) ([]byte, error) {
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var document, another yaml.Node
	unreadable := documents.Decode(&document)
	if err := checkNumbers("", &document); err != nil {
		return nil, err
	}
	tree, err := k8syaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, fmt.Errorf("not readable as YAML: %w", err)
	}
	if unreadable != nil {
		return tree, nil // it is empty, or one that yaml/v3 reads differently
	}
	if err := documents.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("line %d: another document begins here: write all cases in one list", another.Line)
	}
	return withDigits(tree, &document)
}

func (c *Case) check(path string) error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, fmt.Errorf("%s.name: it is not set: say what the case shows", path))
	}
	if len(c.In) == 0 {
		errs = append(errs, fmt.Errorf("%s.in: it is empty: write at least one record", path))
	}
	for i := range c.In {
		if _, err := c.In[i].Worker(); err != nil {
			errs = append(errs, fmt.Errorf("%s.in[%d].%w", path, i, err))
		}
	}
	for i := range c.Out {
		if _, err := c.Out[i].time(); err != nil {
			errs = append(errs, fmt.Errorf("%s.out[%d].%w", path, i, err))
		}
	}
	return errors.Join(errs...)
}

// linesOf returns the line of each case.
func linesOf(text []byte) (lines []int) {
	var file struct {
		Cases []yaml.Node `yaml:"cases"`
	}
	if yaml.Unmarshal(text, &file) != nil {
		return nil
	}
	for i := range file.Cases {
		lines = append(lines, file.Cases[i].Line)
	}
	return lines
}
