//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/worker"
)

const sedImage = "millrace.test/sed:1"

// lineProgram hands lines to sed, which knows nothing of Millrace and writes each line back. Under
// load, one of its processes is killed, another one hangs, a record ends each process that gets it,
// and then its container is killed. No record is lost, and those of a key stay in order.
func lineProgram(s *suite) {
	const name, letters = "lines", "lines-letters"
	sed := s.importSed()
	s.applyBeside(name, letters, fmt.Sprintf(`image: %q, adapter: lines, command: [%q, --unbuffered], args: ['/"value":"%s"/Q3'], processes: 2, `+
		`batch: {maxRecords: 50, linger: 20ms}, env: [{name: LC_ALL, value: C}], resources: {requests: {cpu: 20m}, limits: {memory: 64Mi}}, ports: [{name: unused, containerPort: 9090}]`,
		sedImage, sed, poison))
	letter := s.strike(name, letters, syscall.SIGSTOP, func() {})
	if reason := headerOf(letter, worker.HeaderError); string(letter.Key) != "customer-1" || !strings.Contains(reason, "exit status 3") {
		s.Errorf("the dead letter has the key %s and the error %q", letter.Key, reason)
	}
}

// importSed makes an image of this machine's sed, imports it and returns the path of the program
// in it.
func (s *suite) importSed() string {
	s.Helper()
	found, err := exec.LookPath("sed")
	if err != nil {
		s.Fatal(err)
	}
	program, err := filepath.EvalSymlinks(found)
	if err != nil {
		s.Fatal(err)
	}
	archive := filepath.Join(s.out, "sed.tar")
	if err := cluster.WriteImageWith(s.Context(), archive, sedImage, program); err != nil {
		s.Fatal(err)
	}
	if err := s.cluster.ImportImage(s.Context(), archive); err != nil {
		s.Fatal(err)
	}
	return program
}

// headerOf returns the last header of a name, "" if there is none.
func headerOf(r *kgo.Record, name string) (value string) {
	for _, h := range r.Headers {
		if h.Key == name {
			value = string(h.Value)
		}
	}
	return value
}
