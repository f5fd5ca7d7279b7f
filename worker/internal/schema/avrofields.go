package schema

import (
	"fmt"
	"slices"

	"github.com/twmb/avro"
)

// avroFields has the names of the fields of each record type, by its full name.
type avroFields map[string][]string

// add notes the records in a schema. A type that comes again is only named.
func (f avroFields) add(n *avro.SchemaNode) {
	if n == nil {
		return
	}
	for i := range n.Fields {
		f[fullName(n)] = append(f[fullName(n)], n.Fields[i].Name)
		f.add(&n.Fields[i].Type)
	}
	for i := range n.Branches {
		f.add(&n.Branches[i])
	}
	f.add(n.Items)
	f.add(n.Values)
}

// check refuses fields that a record's type does not have: they would be lost.
func (f avroFields) check(v any, schema *avro.SchemaNode) (any, error) {
	object, ok := v.(map[string]any)
	known := f[fullName(schema)]
	if !ok || known == nil {
		return v, nil
	}
	for name := range object {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("the record %s has no field %q", fullName(schema), name)
		}
	}
	return v, nil
}
