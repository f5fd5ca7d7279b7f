package schema

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// TestSchemasAreAskedForOnce, however many goroutines need them at the same time.
func TestSchemasAreAskedForOnce(t *testing.T) {
	f := newFake(t)
	f.add("orders-value", sr.Schema{Schema: field(`"int"`)})
	d := NewDecoder(f.registry(t))
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if text, err := d.AppendJSON(t.Context(), nil, []byte{0, 0, 0, 0, 1, 2}); err != nil || string(text) != `{"v":1}` {
				t.Errorf("%s, %v", text, err)
			}
		})
	}
	all.Wait()
	if got, want := f.asked(), []string{"GET /schemas/ids/1"}; !slices.Equal(got, want) {
		t.Errorf("the registry was asked %q, want %q", got, want)
	}
}

// TestReferencesAreFetched, those of references too.
func TestReferencesAreFetched(t *testing.T) {
	f := newFake(t)
	f.add("a", sr.Schema{Schema: `{"type":"record","name":"A","namespace":"n","fields":[{"name":"x","type":"int"}]}`})
	f.add("b", sr.Schema{
		Schema:     `{"type":"record","name":"B","namespace":"n","fields":[{"name":"a","type":"A"}]}`,
		References: []sr.SchemaReference{{Name: "n.A", Subject: "a", Version: 1}},
	})
	f.add("c", sr.Schema{Schema: field(`"B"`), References: []sr.SchemaReference{{Name: "n.B", Subject: "b", Version: 1}}})
	text, err := NewDecoder(f.registry(t)).AppendJSON(t.Context(), nil, []byte{0, 0, 0, 0, 3, 2})
	if err != nil || string(text) != `{"v":{"a":{"x":1}}}` {
		t.Errorf("%s, %v", text, err)
	}
}

// TestKindsOfErrors: what the record has to do with counts as an attempt, and what it has not
// is waited for.
func TestKindsOfErrors(t *testing.T) {
	const permanent, counted, waited = "permanent", "counted", "waited for"
	kind := func(err error) string {
		switch {
		case failure.IsUntried(err):
			return waited
		case failure.IsPermanent(err):
			return permanent
		default:
			return counted
		}
	}
	for _, c := range []struct {
		name, value, kind, want string
		status                  int
	}{
		{"no id", "{}", permanent, "it begins with 7b7d", 0},
		{"empty", "", permanent, "no schema's id in front", 0},
		{"unknown id", "\x00\x00\x00\x00\x09\x02", counted, "schema 9: the schema registry URL says: Schema not found", 0},
		{"unfit", "\x00\x00\x00\x00\x01", permanent, "does not fit schema 1", 0},
		{"a schema that is none", "\x00\x00\x00\x00\x02", permanent, "schema 2 of the registry URL can't be used", 0},
		{"a registry that fails", "\x00\x00\x00\x00\x01\x02", waited, "fails (HTTP status 500): as the test says", 500},
		{"a registry that is busy", "\x00\x00\x00\x00\x01\x02", waited, "HTTP status 429", 429},
		{"wrong credentials", "\x00\x00\x00\x00\x01\x02", waited, "refuses this worker's credentials (HTTP status 401)", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.add("orders-value", sr.Schema{Schema: field(`"int"`)})
			f.add("broken-value", sr.Schema{Schema: `{"type":"nothing"}`})
			f.fail(c.status)
			_, err := NewDecoder(f.registry(t)).AppendJSON(t.Context(), nil, []byte(c.value))
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), f.URL, "URL"), c.want) || kind(err) != c.kind {
				t.Errorf("the error is %s: %v; want %s: %s", kind(err), err, c.kind, c.want)
			}
		})
	}
}

// TestARegistryThatComesBackIsAskedAgain, and one that is away is not asked all the time.
func TestARegistryThatComesBackIsAskedAgain(t *testing.T) {
	f := newFake(t)
	f.add("orders-value", sr.Schema{Schema: field(`"int"`)})
	f.fail(http.StatusServiceUnavailable)
	r := f.registry(t)
	var logged []string
	r.log = funcr.New(func(_, line string) { logged = append(logged, line) }, funcr.Options{})
	d := NewDecoder(r)
	decode := func() error {
		_, err := d.AppendJSON(t.Context(), nil, []byte{0, 0, 0, 0, 1, 2})
		return err
	}
	for range 100 {
		if err := decode(); !failure.IsUntried(err) {
			t.Fatalf("the error is %v, want one that is waited for", err)
		}
	}
	if n := len(f.asked()); n > 50 {
		t.Errorf("the registry was asked %d times for 100 records", n)
	}
	f.fail(0)
	for deadline := time.Now().Add(30 * time.Second); decode() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the registry is back, and the error is still %v", decode())
		}
	}
	if len(logged) != 2 || !strings.Contains(logged[0], "records wait for the schema registry") || !strings.Contains(logged[1], "answers again") {
		t.Errorf("the log is %q", logged)
	}
}

// TestAnAttemptThatEndsWhileTheRegistryIsSilent costs the record nothing.
func TestAnAttemptThatEndsWhileTheRegistryIsSilent(t *testing.T) {
	silent := &once[int, codec]{ask: func(ctx context.Context, _ int) (codec, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	r := &Registry{url: "http://registry", codecs: once[int, codec]{ask: silent.ask}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewDecoder(r).AppendJSON(ctx, nil, []byte{0, 0, 0, 0, 1}); !failure.IsUntried(err) {
		t.Errorf("the error is %v, want one that is waited for", err)
	}
}

// TestSubjects: which schema a result is written with.
func TestSubjects(t *testing.T) {
	own := &config.SchemaDefinition{Type: config.Avro, Text: field(`"int"`)}
	for _, c := range []struct {
		name     string
		cfg      config.OutputSchema
		subjects []string // that have the schema
		asked    string
		want     string // of the error
	}{
		{"the newest one of the topic", config.OutputSchema{}, []string{"out-value"}, "GET /subjects/out-value/versions/latest", ""},
		{"of the record", config.OutputSchema{Subject: config.RecordNameSubject, Record: "n.R"}, []string{"n.R"}, "GET /subjects/n.R/versions/latest", ""},
		{"of the record in the topic", config.OutputSchema{Subject: config.TopicRecordNameSubject, Definition: own, Register: true}, nil, "POST /subjects/out-n.R/versions", ""},
		{"its own, which is there", config.OutputSchema{Definition: own}, []string{"out-value"}, "POST /subjects/out-value", ""},
		{"its own, which is not there", config.OutputSchema{Definition: own}, nil, "POST /subjects/out-value", "the schema of subject out-value: the schema registry URL says: Schema not found"},
		{"its own, registered", config.OutputSchema{Definition: own, Register: true}, nil, "POST /subjects/out-value/versions", ""},
		{"none", config.OutputSchema{}, nil, "GET /subjects/out-value/versions/latest", "the schema of subject out-value: the schema registry URL says: Subject not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.add("other", sr.Schema{Schema: `"string"`})
			for _, subject := range c.subjects {
				f.add(subject, sr.Schema{Schema: own.Text})
			}
			e, err := NewEncoder(f.registry(t), c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			value, err := e.Append(t.Context(), nil, "out", []byte(`{"v":1}`))
			if c.want == "" && (err != nil || !bytes.Equal(value, []byte{0, 0, 0, 0, 2, 2})) {
				t.Errorf("%x, %v", value, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), f.URL, "URL"), c.want)) {
				t.Errorf("the error is %v, want %s", err, c.want)
			}
			if asked := f.asked(); len(asked) == 0 || asked[0] != c.asked {
				t.Errorf("the registry was asked %q, want %q first", asked, c.asked)
			}
		})
	}
}

// TestResultsThatDoNotFit are permanent errors that name the subject.
func TestResultsThatDoNotFit(t *testing.T) {
	f := newFake(t)
	f.add("out-value", sr.Schema{Schema: field(`"int"`)})
	e, err := NewEncoder(f.registry(t), config.OutputSchema{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Append(t.Context(), []byte("before"), "out", []byte(`{"v":"a"}`))
	if !failure.IsPermanent(err) || !strings.Contains(err.Error(), "does not fit the schema of subject out-value") || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
}
