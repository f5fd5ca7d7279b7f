package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker/sdks/protocol"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

var update = flag.Bool("update", false, "write the frames of vectors.json from their messages")

const vectorsFile = "vectors.json"

// vector is one frame of vectors.json.
type vector struct {
	Name    string          `json:"name"`
	From    string          `json:"from"`
	Hex     string          `json:"hex"`
	Message json.RawMessage `json:"message"`
}

// TestVectors: each frame holds its message, and is its canonical encoding.
func TestVectors(t *testing.T) {
	vectors := readVectors(t)
	if *update {
		writeVectors(t, vectors)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			frame, err := hex.DecodeString(v.Hex)
			if err != nil {
				t.Fatal(err)
			}
			want, err := protocoltest.Encode(v.From, v.Message)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(frame, want) {
				t.Errorf("the frame is %x, want %x; go test ./worker/sdks/protocol -update writes it", frame, want)
			}
			decoded, err := protocoltest.Decode(v.From, frame[4:])
			if err != nil {
				t.Fatal(err)
			}
			if !sameJSON(t, decoded, v.Message) {
				t.Errorf("the frame holds %s, want %s", decoded, v.Message)
			}
		})
	}
}

// TestVectorsHaveEachMessage: an implementation that passes them has met all messages and all
// fields.
func TestVectorsHaveEachMessage(t *testing.T) {
	var all strings.Builder
	for _, v := range readVectors(t) {
		all.Write(v.Message)
	}
	for _, name := range []string{
		"WorkerFrame", "ProcessFrame", "ProcessHello", "WorkerHello", "Batch", "Record", "Header", "Results", "Result",
		"Output", "Failure", "BatchCredit", "ByteCredit", "Ping", "Pong", "Close",
	} {
		m, err := protocoltest.NewMessage(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Descriptor().Fields().Len() {
			field := m.Descriptor().Fields().Get(i)
			if !strings.Contains(all.String(), `"`+field.JSONName()+`"`) {
				t.Errorf("no frame has the field %s of %s", field.Name(), name)
			}
		}
	}
}

// TestVersion: the definition's package is that of the version.
func TestVersion(t *testing.T) {
	if protocol.Version != 1 || !strings.Contains(protocol.Definition, "package millrace.processor.v1;") {
		t.Errorf("the version is %d, and the package of the definition another", protocol.Version)
	}
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	content, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(content, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func writeVectors(t *testing.T, vectors []vector) {
	t.Helper()
	for i, v := range vectors {
		frame, err := protocoltest.Encode(v.From, v.Message)
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		vectors[i].Hex = hex.EncodeToString(frame)
	}
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(vectors); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
