package schema

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
)

// Translator makes JSON of a worker's input, and writes its results with the schemas of their
// topics. A side without schemas stays as it is.
type Translator struct {
	decoder *Decoder
	encoder *Encoder
	topic   string // of results that name none
}

// NewTranslator returns the translator of a configuration, which must have a schema. An error
// is one of the configuration; the registry is not asked yet.
func NewTranslator(cfg config.Config, log logr.Logger) (*Translator, error) {
	t := &Translator{topic: cfg.Output.Topic}
	var registry *Registry
	if in := cfg.Input.Schema; in != nil {
		var err error
		if registry, err = NewRegistry(in.Registry, log); err != nil {
			return nil, fmt.Errorf("input.schema.%w", err)
		}
		t.decoder = NewDecoder(registry)
	}
	if out := cfg.Output.Schema; out != nil {
		if out.Registry != nil {
			var err error
			if registry, err = NewRegistry(*out.Registry, log); err != nil {
				return nil, fmt.Errorf("output.schema.%w", err)
			}
		}
		var err error
		if t.encoder, err = NewEncoder(registry, *out); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// AppendInput appends the JSON text of an input's value.
func (t *Translator) AppendInput(ctx context.Context, dst, value []byte) ([]byte, error) {
	if t.decoder == nil {
		return append(dst, value...), nil
	}
	return t.decoder.AppendJSON(ctx, dst, value)
}

// AppendOutput appends the value of a result that is a JSON text; topic is "" for the output
// topic.
func (t *Translator) AppendOutput(ctx context.Context, dst []byte, topic string, value []byte) ([]byte, error) {
	if t.encoder == nil {
		return append(dst, value...), nil
	}
	if topic == "" {
		topic = t.topic
	}
	return t.encoder.Append(ctx, dst, topic, value)
}
