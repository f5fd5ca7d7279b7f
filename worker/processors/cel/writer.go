package cel

import (
	"bytes"
	"encoding/json"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
)

// writer turns results into bytes. It is reused from record to record.
type writer struct {
	text    bytes.Buffer
	encoder *json.Encoder // writes to text; nil until first used
	notes   notes         // about the record's JSON
}

// write turns a result into what the output holds: bytes and strings as they
// are, null as nil, anything else as JSON, with the members of maps in the order
// of their names. Bytes may be the record's; the rest is in out's buffer.
func (w *writer) write(v ref.Val, out *worker.Outputs) ([]byte, error) {
	if optional, ok := v.(*types.Optional); ok {
		v = ifAny(optional)
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bytes:
		if v == nil {
			return []byte{}, nil
		}
		return v, nil
	case types.String:
		// An empty slice must not be nil, which room for no bytes may be.
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

// reset keeps the memory, unless one result had made it large.
func (w *writer) reset() {
	const keep = 1 << 20
	if w.text.Cap() > keep {
		w.text, w.encoder = bytes.Buffer{}, nil
	}
	w.text.Reset()
}
