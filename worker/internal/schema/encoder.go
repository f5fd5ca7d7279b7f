package schema

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// Encoder writes JSON values with the schemas of a registry. Its methods may be called by
// several goroutines at once.
type Encoder struct {
	registry *Registry
	cfg      config.OutputSchema
	own      codec // of the configuration's definition; nil without one
	schemas  once[string, registered]
}

// registered is a schema with its id.
type registered struct {
	id int
	codec
}

// NewEncoder returns an encoder. An error is one of the configuration.
func NewEncoder(r *Registry, cfg config.OutputSchema) (*Encoder, error) {
	e := &Encoder{registry: r, cfg: cfg}
	e.schemas.ask = e.ask
	if cfg.Definition == nil {
		return e, nil
	}
	var err error
	if e.own, err = compile(definition{Schema: e.definition()}); err != nil {
		return nil, fmt.Errorf("output.schema.definition: %w", err)
	}
	if e.record() == "" && cfg.Subject != config.TopicNameSubject {
		return nil, fmt.Errorf("output.schema.subject: the schema names no type, which the subject %s needs: write %s, or set output.schema.record", cfg.Subject, config.TopicNameSubject)
	}
	return e, nil
}

func (e *Encoder) definition() sr.Schema {
	types := map[config.SchemaType]sr.SchemaType{config.Avro: sr.TypeAvro, config.Protobuf: sr.TypeProtobuf, config.JSONSchema: sr.TypeJSON}
	return sr.Schema{Schema: e.cfg.Definition.Text, Type: types[e.cfg.Definition.Type]}
}

// record returns the name of the results' type, "" if it is not known.
func (e *Encoder) record() string {
	if e.cfg.Record == "" && e.own != nil {
		return e.own.record()
	}
	return e.cfg.Record
}

// subject returns the name under which the registry has the schema of a topic's values.
func (e *Encoder) subject(topic string) string {
	switch e.cfg.Subject {
	case config.RecordNameSubject:
		return e.record()
	case config.TopicRecordNameSubject:
		return topic + "-" + e.record()
	default:
		return topic + "-value"
	}
}

// Append appends the value for a topic that a JSON text stands for. The error is one of
// package failure's kinds, as for Decoder.AppendJSON.
func (e *Encoder) Append(ctx context.Context, dst []byte, topic string, text []byte) ([]byte, error) {
	subject := e.subject(topic)
	s, err := e.schemas.of(ctx, subject)
	if err != nil {
		if ctx.Err() != nil {
			err = failure.Untried(fmt.Errorf("the schema registry %s has not answered yet: %w", e.registry.url, err))
		}
		return dst, err
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(append(dst, 0), uint32(s.id))
	dst, err = s.appendData(dst, text, e.cfg.Record)
	if err != nil {
		return dst[:start], failure.Permanent(fmt.Errorf("the result does not fit the schema of subject %s: %w", subject, err))
	}
	return dst, nil
}

// ask finds the schema of a subject: the configuration's own, which it registers only if the
// configuration allows that, or the newest one.
func (e *Encoder) ask(ctx context.Context, subject string) (registered, error) {
	var (
		found sr.SubjectSchema
		err   error
	)
	switch {
	case e.own == nil:
		found, err = e.registry.client.SchemaByVersion(ctx, subject, newest)
	case e.cfg.Register:
		found.ID, err = e.registry.client.RegisterSchema(ctx, subject, e.definition(), -1, -1)
	default:
		found, err = e.registry.client.LookupSchema(ctx, subject, e.definition())
	}
	if err == nil && found.ID <= 0 {
		err = errors.New("the answer has no id of a schema")
	}
	if e.own == nil {
		err = answered(found.Schema, err)
	}
	if err := e.registry.failure(err); err != nil {
		return registered{}, fmt.Errorf("the schema of subject %s: %w", subject, err)
	}
	if e.own != nil {
		return registered{found.ID, e.own}, nil
	}
	c, err := e.registry.compile(ctx, found.Schema, "the schema of subject "+subject)
	return registered{found.ID, c}, err
}

// newest is the version that stands for the newest one.
const newest = -1
