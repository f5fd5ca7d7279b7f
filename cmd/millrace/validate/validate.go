// Package validate finds the mistakes in a manifest without a cluster: those that the API
// server would find by the CustomResourceDefinition, with the same packages, those that the
// operator would find, and those in expressions. It says where in the file each one is.
package validate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// Finding is a mistake, and its place in the file.
type Finding struct {
	Line, Column int // from 1
	// Path is that of the field, such as spec.input.topic, or "" for the whole object.
	Path    string
	Problem string // one line
}

// String returns the finding as compilers print theirs, without the file's name.
func (f Finding) String() string {
	if f.Path == "" {
		return fmt.Sprintf("%d:%d: %s", f.Line, f.Column, f.Problem)
	}
	return fmt.Sprintf("%d:%d: %s: %s", f.Line, f.Column, f.Path, f.Problem)
}

// Object is one document of a file.
type Object struct {
	Kind, Name string
	// Other reports that the object is of another kind and was not checked.
	Other    bool
	Findings []Finding
}

// File checks each document of a YAML or JSON text.
func File(text []byte) ([]Object, error) {
	s, err := loadSchema()
	if err != nil {
		return nil, err
	}
	var objects []Object
	lines := strings.Split(string(text), "\n")
	for _, part := range v1alpha1.SplitDocuments(string(text)) {
		d := &document{lines: lines}
		if empty := d.parse(part); empty {
			continue
		}
		o := Object{Kind: d.text("kind"), Name: d.text("metadata", "name")}
		switch {
		case len(d.findings) > 0 && d.object == nil:
		case d.isOther():
			o.Other = true
		default:
			(&checker{document: d, schema: s}).check()
		}
		o.Findings = d.sorted()
		objects = append(objects, o)
	}
	return objects, nil
}

// sorted returns the findings in the order of their places, each once.
func (d *document) sorted() []Finding {
	slices.SortStableFunc(d.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Problem, b.Problem))
	})
	return slices.Compact(d.findings)
}
