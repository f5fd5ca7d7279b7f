//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// The capped StreamProcessor and its topics.
const (
	heavy        = "heavy"
	heavyOut     = "heavy-copy"
	heavyRecords = 20_000 // the least that it is behind
	heavySeconds = 20     // how far it is behind, on machines that process more in that time
)

// heavyManifest reads one partition, and so has one pod, which a CPU-bound expression keeps
// busy. Its stabilization windows are short, because the test waits for both.
func heavyManifest() string {
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 10), ",") + "]"
	filter := fmt.Sprintf("%[1]s.all(a, %[1]s.all(b, %[1]s.all(c, a + b + c == 3)))", list)
	return fmt.Sprintf(`apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata:
  name: %[1]s
spec:
  kafka: {bootstrapServers: ["%[2]s:9092"]}
  input: {topic: %[1]s, startOffset: Earliest}
  output: {topic: %[3]s}
  processor: {cel: {filter: %[4]q}}
  ordering: Key
  autoscaling:
    minReplicas: 1
    maxReplicas: 4
    targetLag: 5s
    behavior: {scaleUp: {stabilizationWindow: 5s}, scaleDown: {stabilizationWindow: 15s}}
    vertical: {maxCPU: 800m, step: 300m}
  template:
    spec:
      containers:
      - name: worker
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 200m, memory: 256Mi}}
`, heavy, cluster.NodeAddress, heavyOut, filter)
}

// resize makes a capped StreamProcessor fall behind. More pods can't help, so autoscaling gives
// its pod more CPU in place; the pod catches up, and autoscaling takes the CPU back.
func resize(s *suite) {
	s.kafka.CreateTopic(heavy, 1, nil)
	s.kafka.CreateTopic(heavyOut, 1, nil)
	l := &backlog{s: s}
	l.add(heavyRecords)
	s.apply(heavyManifest())
	s.awaitWorkers(heavy, 1)
	before := s.onlyPod(heavy)
	s.awaitCPU(heavy, "200m")
	generation := s.generation(before.Name)

	decision := l.awaitResize(3 * time.Minute)
	s.awaitCPU(heavy, decision.CPU.To.String())
	resized := time.Now()
	left := l.left()
	l.awaitDrained(4 * time.Minute)
	after := float64(left) / time.Since(resized).Seconds()
	line := fmt.Sprintf("with %s of CPU the pod processed %d records a second, with %s %.0f: %s",
		decision.CPU.From.String(), decision.Inputs.ProcessedPerSecond, decision.CPU.To.String(), after, decision.Message)
	s.Log(line)
	s.keep("resize.txt", line+"\n")
	if after < 1.5*float64(decision.Inputs.ProcessedPerSecond) {
		s.Errorf("more CPU did not help: %s", line)
	}
	if doubled := s.expectNumbered(heavy, heavy, heavyOut, l.produced); doubled > 0 {
		s.Errorf("%d records were written twice", doubled)
	}

	s.awaitCPU(heavy, "200m") // when it is not needed any more
	pod := s.onlyPod(heavy)
	if pod.UID != before.UID || pod.Status.ContainerStatuses[0].RestartCount > 0 {
		s.Errorf("pod %s, with %d restarts, has replaced pod %s", pod.Name, pod.Status.ContainerStatuses[0].RestartCount, before.Name)
	}
	if now := s.generation(pod.Name); now != generation {
		s.Errorf("the group is in generation %d and was in %d, so there was a rebalance", now, generation)
	}
	s.kubectl("delete", "sp", heavy)
	s.await("the end of the heavy one", patience, func() error {
		pods, err := s.pods(heavy)
		if err == nil && len(pods) > 0 {
			err = fmt.Errorf("there are %d pods", len(pods))
		}
		return err
	})
}

// onlyPod returns the one pod of a StreamProcessor.
func (s *suite) onlyPod(name string) *corev1.Pod {
	s.Helper()
	pods, err := s.pods(name)
	if err != nil || len(pods) != 1 {
		s.Fatalf("there are %d pods of %s (%v)", len(pods), name, err)
	}
	return &pods[0]
}

// awaitCPU waits until the kubelet reports that the pod has that limit.
func (s *suite) awaitCPU(name, limit string) {
	s.Helper()
	s.await(fmt.Sprintf("a pod of %s with %s of CPU", name, limit), patience, func() error {
		pods, err := s.pods(name)
		if err != nil || len(pods) != 1 || len(pods[0].Status.ContainerStatuses) != 1 {
			return errors.Join(err, fmt.Errorf("there are %d pods", len(pods)))
		}
		r := pods[0].Status.ContainerStatuses[0].Resources
		if r == nil || r.Limits.Cpu().String() != limit {
			return fmt.Errorf("the pod has %+v, and its conditions are %+v", r, pods[0].Status.Conditions)
		}
		return nil
	})
}

// generation returns the generation of the group that the pod reports.
func (s *suite) generation(pod string) int32 {
	s.Helper()
	var status struct {
		Members []struct{ Generation int32 }
	}
	answer := s.kubectl("get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/status", namespace, pod))
	if err := json.Unmarshal([]byte(answer), &status); err != nil || len(status.Members) != 1 {
		s.Fatalf("the status of pod %s: %v: %s", pod, err, answer)
	}
	return status.Members[0].Generation
}

// backlog is what the StreamProcessor has to process. It grows with the machine's speed.
type backlog struct {
	s        *suite
	produced int

	since time.Time // of the last look
	done  int       // records that were processed then
}

func (l *backlog) add(n int) {
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = numbered(l.produced + i)
		records[i].Topic = heavy
	}
	l.s.kafka.Produce(records...)
	l.produced += n
}

// left returns the number of unprocessed records according to Kafka.
func (l *backlog) left() int {
	left := l.produced
	for _, offset := range l.s.kafka.GroupOffsets(group(heavy))[heavy] {
		left -= int(offset.Offset)
	}
	return left
}

// keepUp adds as many records as keep the StreamProcessor behind for heavySeconds, by its speed
// since the last second.
func (l *backlog) keepUp() {
	now := time.Now()
	if now.Sub(l.since) < time.Second {
		return
	}
	left := l.left()
	done := l.produced - left
	want := heavyRecords
	if !l.since.IsZero() {
		want = max(want, int(heavySeconds*float64(done-l.done)/now.Sub(l.since).Seconds()))
	}
	l.since, l.done = now, done
	if left < want {
		l.add(want - left)
	}
}

// awaitResize keeps the StreamProcessor behind until it is given more CPU.
func (l *backlog) awaitResize(limit time.Duration) *v1alpha1.ScaleDecision {
	l.s.Helper()
	var decision *v1alpha1.ScaleDecision
	l.s.await("the decision for more CPU", limit, func() error {
		sp, err := l.s.processor(heavy)
		if err != nil {
			return err
		}
		decision = sp.Status.LastScaleDecision
		if decision == nil || decision.CPU == nil || decision.Reason != "MorePodsDoNotHelp" {
			l.keepUp()
			return fmt.Errorf("the last decision is %+v, and %d of %d records are left", decision, l.left(), l.produced)
		}
		return nil
	})
	return decision
}

func (l *backlog) awaitDrained(limit time.Duration) {
	l.s.Helper()
	l.s.await("the lag to be worked off", limit, func() error {
		if left := l.left(); left > 0 {
			return fmt.Errorf("%d records are left", left)
		}
		return nil
	})
}
