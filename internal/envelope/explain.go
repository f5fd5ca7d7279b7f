package envelope

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Explain returns an error of encoding/json in the words of somebody who writes such lines.
func (g Grammar) Explain(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return fmt.Errorf("it is a JSON %s: %s", wrong.Value, g.Shape)
		}
		return fmt.Errorf("%s: it must not be a JSON %s", wrong.Field, wrong.Value)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("it is not JSON: %w, at byte %d", err, syntax.Offset)
	}
	if field, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		return fmt.Errorf("unknown field %s: the fields are %s", field, g.Fields)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is not JSON: it ends too early: one line must hold all of it")
	}
	return err
}
