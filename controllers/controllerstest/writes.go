package controllerstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Write is a request to the server that was to change something.
type Write struct {
	User        string
	Verb        string // create, update, patch (also for an apply), delete, deletecollection
	Resource    string // such as deployments
	Subresource string // such as status
	Namespace   string
	Name        string // "" if the server was to choose it
	Code        int    // of the HTTP response
	At          time.Time
}

// policy records who changes what, once the response is sent. Events are
// recorded too.
const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`

func (a *API) auditLog() string { return filepath.Join(a.dir, "audit.log") }

// recordWrites sets the flags of the server for Writes.
func (a *API) recordWrites(flags *envtest.Arguments) error {
	file := filepath.Join(a.dir, "audit-policy.yaml")
	flags.Set("audit-policy-file", file)
	flags.Set("audit-log-path", a.auditLog())
	flags.Set("audit-log-mode", "blocking")
	return os.WriteFile(file, []byte(policy), 0o600)
}

// Writes returns what the users have been writing so far, or all users if none
// is named, oldest first. A request shows up when it is answered.
func (a *API) Writes(tb testing.TB, users ...string) []Write {
	tb.Helper()
	log, err := os.ReadFile(a.auditLog())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal(err)
	}
	complete := log[:bytes.LastIndexByte(log, '\n')+1]
	var writes []Write
	for line := range bytes.Lines(complete) {
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			tb.Fatalf("read the audit log: %v", err)
		}
		if len(users) == 0 || slices.Contains(users, e.User.Username) {
			writes = append(writes, e.write())
		}
	}
	return writes
}

// auditEvent is a line of the audit log, as far as it matters here.
type auditEvent struct {
	Verb string `json:"verb"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	StageTimestamp time.Time `json:"stageTimestamp"`
}

func (e *auditEvent) write() Write {
	return Write{
		User: e.User.Username, Verb: e.Verb,
		Resource: e.ObjectRef.Resource, Subresource: e.ObjectRef.Subresource,
		Namespace: e.ObjectRef.Namespace, Name: e.ObjectRef.Name,
		Code: e.ResponseStatus.Code, At: e.StageTimestamp,
	}
}
