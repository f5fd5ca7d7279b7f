package schema

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// served returns a registry with one answer for everything.
func served(t *testing.T, answer http.HandlerFunc) *Registry {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	r, err := NewRegistry(config.SchemaRegistry{URL: server.URL}, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnswersOfNoRegistry: a proxy that answers for a registry costs no record an attempt, and no
// result gets an id that nobody has given.
func TestAnswersOfNoRegistry(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>Welcome</html>") },
		"a page for a 404": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>Not found</html>", http.StatusNotFound)
		},
		"an empty object": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") },
		"null":            func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "null") },
		"nothing":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"redirects":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			r := served(t, answer)
			if _, err := NewDecoder(r).AppendJSON(t.Context(), nil, []byte{0, 0, 0, 0, 1, 2}); !failure.IsUntried(err) {
				t.Errorf("the error of a value is %v, want one that is waited for", err)
			}
			own := &config.SchemaDefinition{Type: config.Avro, Text: field(`"int"`)}
			for _, cfg := range []config.OutputSchema{{}, {Definition: own}, {Definition: own, Register: true}} {
				e, err := NewEncoder(r, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if value, err := e.Append(t.Context(), nil, "out", []byte(`{"v":1}`)); !failure.IsUntried(err) {
					t.Errorf("a result is %x with the error %v, want one that is waited for", value, err)
				}
			}
		})
	}
}

// TestAnEndlessAnswer is not read to its end.
func TestAnEndlessAnswer(t *testing.T) {
	var sent int
	ended := make(chan struct{})
	r := served(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		part := []byte(strings.Repeat(" ", 1<<20))
		for sent < 1<<30 {
			n, err := w.Write(part)
			if sent += n; err != nil {
				return
			}
		}
	})
	_, err := NewDecoder(r).AppendJSON(t.Context(), nil, []byte{0, 0, 0, 0, 1, 2})
	if !failure.IsUntried(err) || !strings.Contains(err.Error(), "the answer has more than 16777216 bytes") {
		t.Errorf("the error is %v", err)
	}
	if <-ended; sent > 64<<20 {
		t.Errorf("%d bytes were read", sent)
	}
}

// TestARedirectWithoutTLS is not followed: it would carry the credentials.
func TestARedirectWithoutTLS(t *testing.T) {
	request := func(url string) *http.Request { return httptest.NewRequest(http.MethodGet, url, nil) }
	for _, c := range []struct {
		from, to string
		allowed  bool
	}{{"https://a", "https://b", true}, {"http://a", "http://b", true}, {"http://a", "https://a", true}, {"https://a", "http://a", false}} {
		if err := checkRedirect(request(c.to), []*http.Request{request(c.from)}); (err == nil) != c.allowed {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
	}
}

// TestAPanicOfACompiler is an error of the schema, and not the worker's end.
func TestAPanicOfACompiler(t *testing.T) {
	o := &once[int, codec]{ask: func(context.Context, int) (codec, error) { panic("a nil map") }}
	if _, err := o.of(t.Context(), 7); !failure.IsPermanent(err) || err.Error() != "7: panic: a nil map" {
		t.Errorf("the error is %v", err)
	}
}

// TestWrongIDsDoNotFillTheMemory: each has an error, which is kept for a moment only.
func TestWrongIDsDoNotFillTheMemory(t *testing.T) {
	o := &once[int, int]{ask: func(_ context.Context, id int) (int, error) {
		if id == 0 {
			return 1, nil
		}
		return 0, fmt.Errorf("there is no %d", id)
	}}
	kept := func() (n int) {
		o.entries.Range(func(any, any) bool { n++; return true })
		return n
	}
	for id := range 1000 {
		_, _ = o.of(t.Context(), id) // fails, but for the first one
	}
	for deadline, id := time.Now().Add(30*time.Second), 1000; kept() > 500; id++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d answers are kept", kept())
		}
		_, _ = o.of(t.Context(), id) // fails
		time.Sleep(10 * time.Millisecond)
	}
	if v, err := o.of(t.Context(), 0); v != 1 || err != nil {
		t.Errorf("the good answer is %d, %v", v, err)
	}
	if e, ok := o.load(0); !ok || e.err != nil {
		t.Error("the good answer is not kept")
	}
}

// TestNumbersOfManyDigits: a few bytes must not have a library compute with all of them.
func TestNumbersOfManyDigits(t *testing.T) {
	limits := compiled(t, sr.TypeJSON, `{"items":{"minimum":0,"multipleOf":0.5}}`)
	for _, text := range []string{"[1e9999999]", "[1e-9999999]", "[" + strings.Repeat("1E+999999,", 1000) + "1]", `[{"a":[1e99999999999999999999]}]`} {
		if _, err := limits.appendJSON(nil, []byte(text)); err == nil || !strings.Contains(err.Error(), "has an exponent that is not from -2000 to 2000") {
			t.Errorf("%.40s: %v", text, err)
		}
	}
	for _, text := range []string{"[1e3]", `["1e9999999",{"1e9999999":5}]`, "[15e-1]"} {
		if got, err := limits.appendJSON(nil, []byte(text)); err != nil || string(got) != text {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

// TestADeepJSONSchema is refused: its compiler would take hours.
func TestADeepJSONSchema(t *testing.T) {
	deep := func(depth int) string { return strings.Repeat(`{"items":`, depth) + "{}" + strings.Repeat("}", depth) }
	compiled(t, sr.TypeJSON, deep(100))
	if _, err := compile(definition{Schema: sr.Schema{Schema: deep(5000), Type: sr.TypeJSON}}); err == nil || !strings.Contains(err.Error(), "is nested more than 500 deep") {
		t.Errorf("the error is %v", err)
	}
}

// TestReferencesOutsideOfTheRegistry are not followed.
func TestReferencesOutsideOfTheRegistry(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the schema has an address asked") }))
	defer server.Close()
	for _, text := range []string{`{"$ref":"` + server.URL + `/a.json"}`, `{"$schema":"` + server.URL + `/a.json"}`, `{"$ref":"file:///etc/hostname"}`} {
		if _, err := compile(definition{Schema: sr.Schema{Schema: text, Type: sr.TypeJSON}}); err == nil || !strings.Contains(err.Error(), "is not among the schema's references") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
