package schema

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker/config"
)

// python has the serializers of Confluent.
const python = "../../../bin/registry-python/bin/python"

// apicurio starts a real registry and returns its URL.
func apicurio(t *testing.T) string {
	for _, path := range []string{python, "../../../bin/registry-python/.installed"} {
		if _, err := os.Stat(path); err != nil {
			prerequisite.Missing(t, "needs make bin/registry-python/.installed: %v", err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	var output bytes.Buffer
	command := exec.CommandContext(ctx, "../../../hack/registry.sh", "run", fmt.Sprint(port))
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	url := fmt.Sprintf("http://127.0.0.1:%d/apis/ccompat/v7", port)
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if answer, err := http.Get(url + "/subjects"); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return url
			}
		}
		select {
		case <-ended:
			t.Fatalf("the registry has ended:\n%s", output.String())
		default:
		}
		if time.Now().After(deadline) {
			cancel()
			<-ended
			t.Fatalf("the registry does not start:\n%s", output.String())
		}
	}
}

// line is a value that the Python program has written, or is to read.
type line struct {
	Topic string `json:"topic"`
	Value string `json:"value"`
	JSON  string `json:"json"`
}

func confluent(t *testing.T, url, way, input string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), python, "testdata/confluent.py", url, way)
	command.Stdin = strings.NewReader(input)
	var failed bytes.Buffer
	command.Stderr = &failed
	output, err := command.Output()
	if err != nil {
		t.Fatalf("confluent.py %s: %v\n%s", way, err, failed.String())
	}
	return string(output)
}

// TestTogetherWithConfluent reads values of Confluent's serializers, and has its deserializers
// read values in turn, with a real registry between the two.
func TestTogetherWithConfluent(t *testing.T) {
	url := apicurio(t)
	registry, err := NewRegistry(config.SchemaRegistry{URL: url}, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	decoder := NewDecoder(registry)
	var written strings.Builder
	for text := range strings.Lines(confluent(t, url, "write", "")) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		value, err := hex.DecodeString(l.Value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decoder.AppendJSON(t.Context(), nil, value)
		if err != nil || string(got) != l.JSON {
			t.Errorf("%s: %s is read as %s (%v), want %s", l.Topic, l.Value, got, err, l.JSON)
		}
		record := map[string]string{"items": "shop.Item"}[l.Topic]
		encoder, err := NewEncoder(registry, config.OutputSchema{Subject: config.TopicNameSubject, Record: record})
		if err != nil {
			t.Fatal(err)
		}
		back, err := encoder.Append(t.Context(), nil, l.Topic, []byte(l.JSON))
		if err != nil {
			t.Errorf("%s: %v", l.Topic, err)
			continue
		}
		mine, err := json.Marshal(line{Topic: l.Topic, Value: hex.EncodeToString(back)})
		if err != nil {
			t.Fatal(err)
		}
		written.Write(append(mine, '\n'))
	}
	const want = "orders is the same\nitems is the same\npeople is the same\n"
	if got := confluent(t, url, "read", written.String()); got != want {
		t.Errorf("Confluent's deserializers say:\n%s\nwant:\n%s", got, want)
	}
	t.Run("register", func(t *testing.T) { testRegister(t, registry) })
	t.Run("unknown id", func(t *testing.T) {
		_, err := decoder.AppendJSON(t.Context(), nil, []byte{0, 0x7f, 0, 0, 0, 2})
		if err == nil || !strings.Contains(err.Error(), "schema 2130706432: the schema registry "+url+" says: ") {
			t.Errorf("the error is %v", err)
		}
	})
}

// testRegister registers a schema only if that is allowed.
func testRegister(t *testing.T, registry *Registry) {
	cfg := config.OutputSchema{Definition: &config.SchemaDefinition{Type: config.Avro, Text: field(`"string"`)}}
	write := func() ([]byte, error) {
		encoder, err := NewEncoder(registry, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return encoder.Append(t.Context(), nil, "new", []byte(`{"v":"a"}`))
	}
	if _, err := write(); err == nil || !strings.Contains(err.Error(), "the schema of subject new-value: ") {
		t.Errorf("the schema is not there, and the error is %v", err)
	}
	cfg.Register = true
	first, err := write()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Register = false
	second, err := write()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the schema that was registered is not found: %x, then %x (%v)", first, second, err)
	}
	if text, err := NewDecoder(registry).AppendJSON(t.Context(), nil, first); err != nil || string(text) != `{"v":"a"}` {
		t.Errorf("it is read as %s, %v", text, err)
	}
}
