//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// changesArrive measures the time from a change of the spec to the change of the Deployment. The
// StreamProcessor has no pods, so that nothing else counts.
func changesArrive(s *suite) {
	const name, changes = "measured", 30
	s.kafka.CreateTopic(name, 1, nil)
	s.kafka.CreateTopic(name+"-copy", 1, nil)
	s.apply(manifest(name, "  suspend: true\n"))
	s.awaitWorkers(name, 0)
	watcher, err := s.client.Watch(s.Context(), &appsv1.DeploymentList{}, client.InNamespace(namespace))
	if err != nil {
		s.Fatal(err)
	}
	defer watcher.Stop()
	var took []time.Duration
	for n := range changes {
		sp, err := s.processor(name)
		if err != nil {
			s.Fatal(err)
		}
		value := fmt.Sprintf("change-%d", n)
		patch := fmt.Sprintf(`{"spec": {"template": {"metadata": {"annotations": {"e2e": %q}}}}}`, value)
		started := time.Now()
		if err := s.client.Patch(s.Context(), sp, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
			s.Fatal(err)
		}
		s.awaitTemplate(watcher, name, value)
		took = append(took, time.Since(started))
	}
	slices.Sort(took)
	median, p99 := took[len(took)/2], took[len(took)*99/100]
	line := fmt.Sprintf("a change of the spec reaches the Deployment in %v (median), %v (p99), of %d changes",
		median.Round(time.Millisecond), p99.Round(time.Millisecond), changes)
	s.Log(line)
	s.keep("changes.txt", line+"\n")
}

// awaitTemplate waits for the event of the Deployment that has the value.
func (s *suite) awaitTemplate(watcher watch.Interface, name, value string) {
	s.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case event, open := <-watcher.ResultChan():
			if !open {
				s.Fatal("the watch of Deployments ended")
			}
			d, is := event.Object.(*appsv1.Deployment)
			if is && d.Name == name+"-worker" && d.Spec.Template.Annotations["e2e"] == value {
				return
			}
		case <-limit:
			s.Fatalf("the value %s did not appear in the Deployment", value)
		}
	}
}

// idle counts the writes of the operator during a minute without changes, and measures its
// memory.
func idle(s *suite) {
	const span = time.Minute
	s.awaitQuiet()
	started := time.Now()
	s.held("an idle minute", span, func() error { return s.cluster.Ended() })
	writes, renewals := s.writes(started, time.Now())
	resident := s.resident()
	line := fmt.Sprintf("an idle operator writes %d times in %v, beside %d renewals of its lease; its memory is %d MiB",
		len(writes), span, renewals, resident>>20)
	s.Log(line)
	s.keep("idle.txt", line+"\n")
	if len(writes) > 0 {
		s.Errorf("an idle operator wrote:\n%s", strings.Join(writes, "\n"))
	}
}

// awaitQuiet waits until the operator has written nothing for 10 s, so that the effects of the
// previous steps are over.
func (s *suite) awaitQuiet() {
	s.Helper()
	s.await("a quiet operator", patience, func() error {
		now := time.Now()
		if writes, _ := s.writes(now.Add(-10*time.Second), now); len(writes) > 0 {
			return fmt.Errorf("the operator has just written %s", writes[len(writes)-1])
		}
		return nil
	})
}

// auditEvent is the part of an audit event that this test uses.
type auditEvent struct {
	Verb       string
	RequestURI string
	User       struct{ Username string }
	ObjectRef  struct{ Resource string }
	At         time.Time `json:"requestReceivedTimestamp"`
}

// writes returns the operator's write requests between two times, without the renewals of its
// leader's lease, and the number of these renewals.
func (s *suite) writes(from, to time.Time) (writes []string, renewals int) {
	s.Helper()
	file, err := os.Open(s.cluster.AuditLog())
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event auditEvent
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // the line that is just being written
		}
		reads := slices.Contains([]string{"get", "list", "watch"}, event.Verb)
		if reads || event.User.Username != "system:serviceaccount:"+system+":"+operator ||
			event.At.Before(from) || event.At.After(to) {
			continue
		}
		if event.ObjectRef.Resource == "leases" {
			renewals++
			continue
		}
		writes = append(writes, event.At.Format(time.TimeOnly)+" "+event.Verb+" "+event.RequestURI)
	}
	if err := lines.Err(); err != nil {
		s.Fatal(err)
	}
	return writes, renewals
}

// resident returns the resident memory of the operator in bytes.
func (s *suite) resident() int {
	s.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid(system, s.operatorPod())))
	if err != nil {
		s.Fatal(err)
	}
	var kilobytes int
	for line := range strings.Lines(string(status)) {
		if rest, is := strings.CutPrefix(line, "VmRSS:"); is {
			_, _ = fmt.Sscan(rest, &kilobytes)
		}
	}
	return kilobytes << 10
}
