package schema

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// Decoder makes JSON of values that were written with a registry's schemas. Its methods may
// be called by several goroutines at once.
type Decoder struct{ registry *Registry }

// NewDecoder returns a decoder.
func NewDecoder(r *Registry) *Decoder { return &Decoder{r} }

// header reads and writes Confluent's wire format: a zero byte, the schema's id in four bytes,
// for Protobuf the place of the message in the schema, and the value.
// See docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop, "Wire
// format".
var header sr.ConfluentHeader

// AppendJSON appends the JSON text of a value. The error is one of package failure's kinds: a
// registry that is away costs the record no attempt, and a value that does not fit its schema
// has no further one.
func (d *Decoder) AppendJSON(ctx context.Context, dst, value []byte) ([]byte, error) {
	id, data, err := header.DecodeID(value)
	if err != nil {
		return dst, failure.Permanent(fmt.Errorf("the value has no schema's id in front (5 bytes, of which the first is 0): "+
			"it begins with %x, and was not written by a schema registry's serializer", value[:min(len(value), 5)]))
	}
	c, err := d.registry.byID(ctx, id)
	if err != nil {
		return dst, err
	}
	dst, err = c.appendJSON(dst, data)
	if err != nil {
		return dst, failure.Permanent(fmt.Errorf("the value does not fit schema %d: %w", id, err))
	}
	return dst, nil
}
