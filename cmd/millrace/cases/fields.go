package cases

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/millrace-dev/millrace/cmd/millrace/validate"
)

// shape has the fields of an object in a file with cases.
type shape struct {
	what   string // "a case"
	fields []string
	lists  map[string]*shape // the fields that are lists of objects
}

var (
	contentFields = []string{"key", "value", "headers", "timestamp", "topic"}
	recordFields  = append(slices.Clone(contentFields), "partition", "offset")
	failureFields = append(slices.Clone(contentFields), "error")
)

var fileShape = &shape{
	what: "the file", fields: []string{"cases"}, lists: map[string]*shape{"cases": {
		what: "a case", fields: []string{"name", "in", "out", "deadLetters", "dropped", "halted"}, lists: map[string]*shape{
			"in":          {what: "a record", fields: recordFields},
			"out":         {what: "a result", fields: contentFields},
			"deadLetters": {what: "a dead letter", fields: failureFields},
			"dropped":     {what: "a dropped record", fields: failureFields},
			"halted":      {what: "a halted record", fields: failureFields},
		},
	}},
}

// checkFields returns an error for each field that there is not, with its line.
func checkFields(text []byte) error {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) == 0 {
		return nil // another check says so
	}
	return errors.Join(fileShape.check("", document.Content[0])...)
}

func (s *shape) check(path string, node *yaml.Node) (errs []error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		switch {
		case name.Tag == "!!merge":
		case !slices.Contains(s.fields, name.Value):
			errs = append(errs, fmt.Errorf("line %d: %s%s: there is no such field; %s", name.Line, path, name.Value, s.instead(name.Value)))
		case s.lists[name.Value] != nil && value.Kind == yaml.SequenceNode:
			for j, item := range value.Content {
				errs = append(errs, s.lists[name.Value].check(fmt.Sprintf("%s%s[%d].", path, name.Value, j), item)...)
			}
		}
	}
	return errs
}

// instead says what to write in place of an unknown field.
func (s *shape) instead(name string) string {
	if meant := validate.Nearest(name, s.fields); meant != "" {
		return "did you mean " + meant + "?"
	}
	return fmt.Sprintf("the fields of %s are %s", s.what, strings.Join(s.fields, ", "))
}
