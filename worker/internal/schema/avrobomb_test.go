package schema

import (
	"encoding/binary"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

// TestAvroBombs: a value of a few bytes that claims many elements is refused, not read.
func TestAvroBombs(t *testing.T) {
	for _, kind := range []string{`{"type":"array","items":"null"}`, `{"type":"array","items":{"type":"record","name":"E","fields":[]}}`, `{"type":"map","values":"null"}`, `"bytes"`} {
		data := binary.AppendVarint(nil, 1<<40)
		if text, err := compiled(t, sr.TypeAvro, field(kind)).appendJSON(nil, append(data, 0)); err == nil {
			t.Errorf("%s: a claim of 2^40 elements is read as %d bytes", kind, len(text))
		}
	}
}
