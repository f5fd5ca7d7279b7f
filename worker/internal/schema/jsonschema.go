package schema

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// jsonCodec checks JSON values by a JSON Schema; their form in Kafka is JSON too.
type jsonCodec struct{ schema *jsonschema.Schema }

// jsonName is the address of the schema itself.
const jsonName = "schema:///schema.json"

func newJSONSchema(d definition) (codec, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7) // the registry's serializers take it too
	compiler.UseLoader(noLoader{})
	for _, ref := range append(d.references, reference{jsonName, d.Schema.Schema}) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(ref.text))
		if err != nil {
			return nil, fmt.Errorf("%s is not JSON: %w", ref.name, err)
		}
		if deeperThan(document, maxSchemaDepth) {
			return nil, fmt.Errorf("%s is nested more than %d deep", ref.name, maxSchemaDepth)
		}
		name := ref.name
		if !strings.Contains(name, "://") {
			name = "schema:///" + name
		}
		if err := compiler.AddResource(name, document); err != nil {
			return nil, errors.New(oneLine(err.Error()))
		}
	}
	s, err := compiler.Compile(jsonName)
	if err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	return &jsonCodec{s}, nil
}

// maxSchemaDepth bounds how deep a JSON Schema is nested: the time that its compiler takes grows
// faster than the depth.
const maxSchemaDepth = 500

func deeperThan(document any, depth int) bool {
	if depth == 0 {
		return true
	}
	deeper := func(part any) bool { return deeperThan(part, depth-1) }
	switch document := document.(type) {
	case []any:
		return slices.ContainsFunc(document, deeper)
	case map[string]any:
		for _, member := range document {
			if deeper(member) {
				return true
			}
		}
	}
	return false
}

// noLoader keeps a schema from having files and addresses read.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s is not among the schema's references in the registry", strings.TrimPrefix(url, "schema:///"))
}

func (c *jsonCodec) record() string { return c.schema.Title }

func (c *jsonCodec) appendJSON(dst, data []byte) ([]byte, error) { return c.check(dst, data) }

func (c *jsonCodec) appendData(dst, text []byte, _ string) ([]byte, error) { return c.check(dst, text) }

func (c *jsonCodec) check(dst, text []byte) ([]byte, error) {
	v, err := parseJSON(text)
	if err != nil {
		return dst, err
	}
	if err := c.schema.Validate(v); err != nil {
		return dst, errors.New(oneLine(mistakes(err)))
	}
	return append(dst, text...), nil
}

// mistakes returns the mistakes with their places, in one text.
func mistakes(err error) string {
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err.Error()
	}
	var found []string
	bytes := 0
	printer := message.NewPrinter(language.English)
	var add func(*jsonschema.ValidationError)
	add = func(e *jsonschema.ValidationError) {
		if _, group := e.ErrorKind.(*kind.Group); len(e.Causes) == 0 && !group {
			place := "/" + strings.Join(e.InstanceLocation, "/")
			found = append(found, place+": "+e.ErrorKind.LocalizedString(printer))
			bytes += len(found[len(found)-1])
		}
		for _, cause := range e.Causes {
			if bytes > maxText { // nobody reads more
				return
			}
			add(cause)
		}
	}
	add(invalid)
	return strings.Join(found, "; ")
}
