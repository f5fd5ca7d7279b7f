package schema

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/millrace-dev/millrace/worker/config"
)

// fake is a registry in memory, with the requests that a worker makes.
type fake struct {
	URL string

	mu       sync.Mutex
	schemas  []sr.SubjectSchema // of ids from 1
	requests []string
	fails    int // HTTP status of all answers; 0 is none
}

func newFake(t *testing.T) *fake {
	f := &fake{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// add registers a schema and returns its id.
func (f *fake) add(subject string, s sr.Schema) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	version := 1
	for _, other := range f.schemas {
		if other.Subject == subject {
			version++
		}
	}
	f.schemas = append(f.schemas, sr.SubjectSchema{Subject: subject, Version: version, ID: len(f.schemas) + 1, Schema: s})
	return len(f.schemas)
}

// fail makes all answers fail with an HTTP status; 0 ends that.
func (f *fake) fail(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails = status
}

// asked returns the requests so far, as in "GET /schemas/ids/1".
func (f *fake) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.requests...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.Path)
	status := f.fails
	f.mu.Unlock()
	if status != 0 {
		refuse(w, status, status*100, "as the test says")
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 3 && parts[0] == "schemas":
		f.answer(w, func(s sr.SubjectSchema) bool { return fmt.Sprint(s.ID) == parts[2] }, 40403, "Schema not found")
	case len(parts) == 4 && parts[2] == "versions":
		f.answer(w, func(s sr.SubjectSchema) bool {
			return s.Subject == parts[1] && (parts[3] == "latest" || fmt.Sprint(s.Version) == parts[3])
		}, 40401, "Subject not found")
	case r.Method == http.MethodPost:
		f.post(w, r, parts)
	default:
		refuse(w, http.StatusNotFound, 404, "no such path")
	}
}

// post looks a schema up in a subject, or registers it there.
func (f *fake) post(w http.ResponseWriter, r *http.Request, parts []string) {
	var posted sr.Schema
	if err := json.NewDecoder(r.Body).Decode(&posted); err != nil {
		refuse(w, http.StatusUnprocessableEntity, 42201, err.Error())
		return
	}
	is := func(s sr.SubjectSchema) bool { return s.Subject == parts[1] && s.Schema.Schema == posted.Schema }
	if len(parts) == 3 && !f.has(is) {
		f.add(parts[1], posted)
	}
	f.answer(w, is, 40403, "Schema not found")
}

func (f *fake) has(is func(sr.SubjectSchema) bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.schemas {
		if is(s) {
			return true
		}
	}
	return false
}

// answer answers with the newest schema that fits.
func (f *fake) answer(w http.ResponseWriter, is func(sr.SubjectSchema) bool, code int, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.schemas) - 1; i >= 0; i-- {
		if is(f.schemas[i]) {
			_ = json.NewEncoder(w).Encode(f.schemas[i])
			return
		}
	}
	refuse(w, http.StatusNotFound, code, message)
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error_code": code, "message": message})
}

// registry returns a client of the fake.
func (f *fake) registry(t *testing.T) *Registry {
	r, err := NewRegistry(config.SchemaRegistry{URL: f.URL}, testr.New(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
