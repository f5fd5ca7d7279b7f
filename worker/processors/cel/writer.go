package cel

import (
	"bytes"
	"encoding/json"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
)

// writer turns results into bytes. A goroutine reuses it from record to record.
type writer struct {
	text    bytes.Buffer
	encoder *json.Encoder // writes to text; nil until first used
	notes   notes         // about the record's JSON
}

// write turns a result into bytes for the output. Bytes and strings stay as they are,
// null becomes nil, and everything else becomes JSON, with the members of maps in the
// order of their names. The returned bytes are the record's or in out's buffer.
func (w *writer) write(v ref.Val, out *worker.Outputs) ([]byte, error) {
	if optional, ok := v.(*types.Optional); ok {
		v = valueOrNull(optional)
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bytes:
		if v == nil {
			return []byte{}, nil
		}
		return v, nil
	case *binary:
		return v.Bytes, nil
	case types.String:
		// The result for an empty string must not be nil, but out.Buffer(0) may be.
		return append(out.Buffer(max(len(v), 1)), v...), nil
	default:
		return w.json(v, out)
	}
}

func (w *writer) json(v ref.Val, out *worker.Outputs) ([]byte, error) {
	value, err := w.notes.native(v)
	if err != nil {
		return nil, err
	}
	if w.encoder == nil {
		w.encoder = json.NewEncoder(&w.text)
		w.encoder.SetEscapeHTML(false)
	}
	if err := w.encoder.Encode(value); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(w.text.Bytes(), []byte("\n"))
	text = append(out.Buffer(len(text)), text...)
	w.reset()
	return text, nil
}

// encoded returns a value as JSON.
func encoded(value any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// reset keeps the memory, unless a result has made it large.
func (w *writer) reset() {
	const keep = 1 << 20
	if w.text.Cap() > keep {
		w.text, w.encoder = bytes.Buffer{}, nil
	}
	w.text.Reset()
}
