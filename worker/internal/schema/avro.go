package schema

import (
	"errors"
	"fmt"

	"github.com/twmb/avro"
)

// avroCodec converts values of an Avro schema.
type avroCodec struct {
	schema *avro.Schema
	name   string
}

func newAvro(d definition) (codec, error) {
	var cache avro.SchemaCache
	fields := avroFields{}
	for _, ref := range d.references {
		if _, err := cache.Parse(ref.text, avroTypes(fields)...); err != nil {
			return nil, fmt.Errorf("reference %s: %w", ref.name, err)
		}
	}
	s, err := cache.Parse(d.Schema.Schema, avroTypes(fields)...)
	if err != nil {
		return nil, err
	}
	root := s.Root()
	fields.add(root)
	return &avroCodec{schema: s, name: fullName(root)}, nil
}

// fullName returns the name of a type with its namespace, "" if it has none.
func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}

func (c *avroCodec) record() string { return c.name }

func (c *avroCodec) appendJSON(dst, data []byte) ([]byte, error) {
	var v any
	rest, err := c.schema.Decode(data, &v)
	if err != nil {
		return dst, errors.New(oneLine(err.Error()))
	}
	if len(rest) > 0 {
		return dst, fmt.Errorf("%d bytes follow the value", len(rest))
	}
	return appendJSON(dst, v)
}

func (c *avroCodec) appendData(dst, text []byte, record string) ([]byte, error) {
	if record != "" && record != c.name {
		return dst, fmt.Errorf("the schema is that of %s, and output.schema.record is %s", c.name, record)
	}
	v, err := parseJSON(text)
	if err != nil {
		return dst, err
	}
	encoded, err := c.schema.AppendEncode(dst, v)
	if err != nil {
		return dst, errors.New(oneLine(err.Error()))
	}
	return encoded, nil
}
