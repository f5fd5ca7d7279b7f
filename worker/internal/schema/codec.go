package schema

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"
)

// codec converts values of one schema. Its methods may be called by several goroutines at
// once, and their errors name the mistake in the value.
type codec interface {
	// appendJSON appends the JSON text of data, which are the bytes after the schema's id.
	appendJSON(dst, data []byte) ([]byte, error)
	// appendData appends the bytes that stand for a JSON text, as they follow the schema's
	// id. record names the type of the value where the schema has several; "" is the first.
	appendData(dst, text []byte, record string) ([]byte, error)
	// record returns the full name of the schema's type, "" if it has none.
	record() string
}

// definition is a schema's text, with the texts that it refers to.
type definition struct {
	sr.Schema
	// references come in the order in which each needs only those before it.
	references []reference
}

type reference struct{ name, text string }

// compile makes the codec of a schema.
func compile(d definition) (codec, error) {
	switch d.Type {
	case sr.TypeAvro:
		return newAvro(d)
	case sr.TypeProtobuf:
		return newProtobuf(d)
	case sr.TypeJSON:
		return newJSONSchema(d)
	default:
		return nil, fmt.Errorf("its type is %s: only AVRO, PROTOBUF and JSON are supported", d.Type)
	}
}

// resolve fetches the schemas that s refers to, each of them once.
func (r *Registry) resolve(ctx context.Context, s sr.Schema) (definition, error) {
	d := definition{Schema: s}
	seen := map[sr.SchemaReference]bool{}
	var add func(sr.Schema, int) error
	add = func(s sr.Schema, depth int) error {
		if depth > maxReferenceDepth {
			return fmt.Errorf("its references are nested more than %d deep", maxReferenceDepth)
		}
		for _, ref := range s.References {
			if seen[ref] {
				continue
			}
			seen[ref] = true
			found, err := r.client.SchemaByVersion(ctx, ref.Subject, ref.Version)
			if err := r.failure(answered(found.Schema, err)); err != nil {
				return fmt.Errorf("its reference %s (subject %s, version %d): %w", ref.Name, ref.Subject, ref.Version, err)
			}
			if err := add(found.Schema, depth+1); err != nil {
				return err
			}
			d.references = append(d.references, reference{ref.Name, found.Schema.Schema})
		}
		return nil
	}
	return d, add(s, 0)
}

// maxReferenceDepth bounds references of references.
const maxReferenceDepth = 50
