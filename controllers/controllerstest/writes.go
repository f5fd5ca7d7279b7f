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

// Write is a request to the server that changes something, or was refused.
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

// policy has the server record each change with its user, after the response is sent.
// That includes events.
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

// recordWrites sets the server's flags that Writes needs.
func (a *API) recordWrites(flags *envtest.Arguments) error {
	file := filepath.Join(a.dir, "audit-policy.yaml")
	flags.Set("audit-policy-file", file)
	flags.Set("audit-log-path", a.auditLog())
	flags.Set("audit-log-mode", "blocking")
	return os.WriteFile(file, []byte(policy), 0o600)
}

// Writes returns the writes of the users so far, or of all users if none is named, oldest
// first. A request appears after its answer.
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

// auditEvent has the fields of a line of the audit log that a Write needs.
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
