package controllers

import (
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// next reconciles and returns the written status.
func (w *world) next() v1alpha1.StreamProcessorStatus {
	w.Helper()
	w.reconcile()
	return w.status()
}

func (w *world) workers(facts podwatch.Facts) {
	w.opts.Pods.(*fakePods).change(worldKey, facts)
}

// told returns the events with a word since the last call.
func (w *world) told(word string) (found []string) {
	for {
		select {
		case event := <-w.opts.Events.(*events.FakeRecorder).Events:
			if strings.Contains(event, word) {
				found = append(found, event)
			}
		default:
			return found
		}
	}
}

// condition returns a condition's message; "" if the status does not have it.
func condition(s v1alpha1.StreamProcessorStatus, kind, reason string) string {
	if c := meta.FindStatusCondition(s.Conditions, kind); c != nil && c.Reason == reason {
		return c.Message
	}
	return ""
}

// TestLossesAreToldOnce: each loss gets one event, whatever restarts, and a condition for
// a day.
func TestLossesAreToldOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	at := w.clock.Now().Add(-time.Minute)
	lost := podwatch.Facts{Losses: []podwatch.Loss{
		{Partition: 2, From: 10, To: 31, Reason: "Retention", At: at},
		{Partition: 4, From: 5, To: 6, Reason: "Truncated", At: at.Add(time.Second)},
	}}
	w.workers(lost)
	s := w.next()
	if events := w.told("RecordsLost"); len(events) != 1 || !strings.HasPrefix(events[0], "Warning") ||
		!strings.Contains(events[0], "partition 2: offsets 10 to 30") || !strings.Contains(events[0], "partition 4: offsets 5 to 5") {
		t.Errorf("events %q", events)
	}
	if message := condition(s, "RecordsLost", "LostBeforeRead"); !strings.Contains(message, "partition 4") || !strings.Contains(message, "1 other partition") {
		t.Errorf("the condition says %q", message)
	}
	if len(s.Losses) != 2 || s.Losses[1].From != 10 || s.Losses[1].To != 31 {
		t.Errorf("status.losses %v", s.Losses)
	}
	w.reconcile()
	w.restart() // and the pods have not been asked yet
	for _, facts := range []podwatch.Facts{{}, lost, {}} {
		w.workers(facts)
		if s = w.next(); len(s.Losses) != 2 || condition(s, "RecordsLost", "LostBeforeRead") == "" {
			t.Errorf("after a restart, with %v from the workers: %v", facts.Losses, s.Losses)
		}
	}
	if events := w.told("RecordsLost"); len(events) != 0 {
		t.Errorf("told again: %q", events)
	}
	again := lost
	again.Losses = slices.Clone(lost.Losses)
	again.Losses[0] = podwatch.Loss{Partition: 2, From: 50, To: 60, Reason: "TopicRecreated", At: at.Add(time.Minute)}
	w.workers(again)
	s = w.next()
	if events := w.told("RecordsLost"); len(events) != 1 || strings.Contains(events[0], "partition 4") || !strings.Contains(events[0], "offsets 50 to 59") {
		t.Errorf("the next loss: %q", events)
	}
	w.clock.SetTime(at.Add(25 * time.Hour))
	if s = w.next(); len(s.Losses) != 0 || condition(s, "RecordsLost", "LostBeforeRead") != "" {
		t.Errorf("a day later, though a worker still tells of it: %v", s.Losses)
	}
}

// TestHaltedPartitionIsStuck: the condition names a halted partition with the reason, and
// before those that a record holds.
func TestHaltedPartitionIsStuck(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	since := w.clock.Now()
	w.workers(podwatch.Facts{Stuck: []podwatch.Stuck{
		{Partition: 1, Offset: 7, Since: since.Add(-time.Hour), LastError: "boom"},
		{Partition: 3, Offset: 41, Since: since, Halted: true, LastError: "the batch at offset 41 is corrupt"},
	}})
	s := w.next()
	message := condition(s, "StuckPartition", "ReadingHalted")
	for _, want := range []string{"partition 3", "offset 41", "the batch at offset 41 is corrupt", "1 more"} {
		if !strings.Contains(message, want) {
			t.Errorf("the condition says %q, not %q", message, want)
		}
	}
	if len(s.StuckPartitions) != 2 || !s.StuckPartitions[0].Halted || s.StuckPartitions[1].Halted {
		t.Errorf("status.stuckPartitions %v", s.StuckPartitions)
	}
	if events := w.told("ReadingHalted"); len(events) != 1 || !strings.HasPrefix(events[0], "Warning") {
		t.Errorf("events %q", events)
	}
}

// TestPartitionsWithoutALeader: the operator still knows the number of partitions, and the
// lag of those with a leader.
func TestPartitionsWithoutALeader(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	w.kafka.change(func(f *kafkawatch.Facts) {
		f.Partitions[1].End, f.Partitions[5].End = 10, 7
		f.Unknown = []int32{1}
	})
	s := w.next()
	if s.Input.Partitions != 6 || s.Input.Lag != 17 || !slices.Equal(s.Input.UnknownPartitions, []int32{1}) {
		t.Errorf("status.input %+v", s.Input)
	}
	if message := condition(s, "KafkaReachable", "Reachable"); !strings.Contains(message, "no leader does for partition 1 of") {
		t.Errorf("KafkaReachable says %q", message)
	}
	w.kafka.change(func(f *kafkawatch.Facts) { f.Unknown = nil })
	if message := condition(w.next(), "KafkaReachable", "Reachable"); message != "the cluster answers" {
		t.Errorf("afterwards KafkaReachable says %q", message)
	}
}

// TestOffsetsThatAreGone: the condition names the partitions, after a restart of the
// operator too, until they have committed offsets again.
func TestOffsetsThatAreGone(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Suspend = true
	w.must(w.Update(t.Context(), sp))
	w.kafka.change(func(f *kafkawatch.Facts) {
		f.Partitions[0].Committed, f.Partitions[4].Committed = -1, -1
		f.Gone = []int32{0, 4}
	})
	check := func(when string) {
		t.Helper()
		message := condition(w.next(), "OffsetsGone", "ExpiredOrDeleted")
		for _, want := range []string{"millrace-shop.enrich", "partitions 0, 4", "offsets.retention.minutes", "Earliest"} {
			if !strings.Contains(message, want) {
				t.Errorf("%s, the condition says %q, not %q", when, message, want)
			}
		}
	}
	check("when they go")
	if events := w.told("ExpiredOrDeleted"); len(events) != 1 {
		t.Errorf("events %q", events)
	}
	w.restart()
	w.kafka.change(func(f *kafkawatch.Facts) { f.Gone = nil })
	check("after a restart")
	w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions[0].Committed, f.Partitions[4].Committed = 0, 0 })
	if message := condition(w.next(), "OffsetsGone", "ExpiredOrDeleted"); message != "" {
		t.Errorf("after a commit the condition says %q", message)
	}
}

// TestTroublesAreShownInShort: the status' lists of partitions are bounded.
func TestTroublesAreShownInShort(t *testing.T) {
	now := time.Unix(10_000, 0)
	var stuck []podwatch.Stuck
	var lost []podwatch.Loss
	for id := range int32(50) {
		stuck = append(stuck, podwatch.Stuck{Partition: id, Since: now, Halted: id%2 == 0}, podwatch.Stuck{Partition: id, Since: now})
		lost = append(lost, podwatch.Loss{Partition: id, To: 1, At: now.Add(time.Duration(id) * time.Second)})
	}
	if got := stuckPartitions(stuck); len(got) != shown || !got[9].Halted {
		t.Errorf("stuck: %v", got)
	}
	got := losses(nil, lost, now)
	if len(got) != shown || got[0].Partition != 49 || got[9].Partition != 40 {
		t.Errorf("lost: %v", got)
	}
	if again := losses(got, lost, now); len(newLosses(got, again)) != 0 {
		t.Errorf("new on the second look: %v", newLosses(got, again))
	}
}

// TestStuckPartitionsStayUntilThePodsAreHeard: an operator that starts again or takes over
// keeps the status' stuck partitions until it has heard from the pods.
func TestStuckPartitionsStayUntilThePodsAreHeard(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	since := w.clock.Now().Add(-time.Hour)
	held := func(partition int32) podwatch.Stuck {
		return podwatch.Stuck{Partition: partition, Offset: 7, Since: since.Add(time.Duration(partition) * time.Second), LastError: "boom"}
	}
	w.workers(podwatch.Facts{Asked: 2, Answered: 2, Stuck: []podwatch.Stuck{held(1), held(3), held(5)}})
	before := w.next()
	message := condition(before, "StuckPartition", "WatermarkHeld")
	check := func(when string, want ...int32) {
		t.Helper()
		s := w.next()
		var got []int32
		for _, p := range s.StuckPartitions {
			got = append(got, p.Partition)
		}
		if !slices.Equal(got, want) || (condition(s, "StuckPartition", "WatermarkHeld") == "") != (len(want) == 0) {
			t.Errorf("%s: stuck %v, want %v", when, got, want)
		}
	}
	restart := func() {
		w.restart()
		w.workers(podwatch.Facts{Asked: 2})
	}
	restart()
	check("before the first answer", 1, 3, 5)
	if now := condition(w.next(), "StuckPartition", "WatermarkHeld"); now != message || len(w.told("WatermarkHeld")) != 0 {
		t.Errorf("the condition says %q, not %q", now, message)
	}
	w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions[1].Committed = 8 })
	check("when one has got on", 3, 5)
	w.workers(podwatch.Facts{Asked: 2, Answered: 1, Stuck: []podwatch.Stuck{held(5)}})
	check("when one pod has answered", 3, 5)
	w.workers(podwatch.Facts{Asked: 2, Answered: 2, Stuck: []podwatch.Stuck{held(5)}})
	check("when all have answered", 5)
	w.workers(podwatch.Facts{Asked: 2})
	check("when none answers any more")
	w.workers(podwatch.Facts{Asked: 2, Answered: 2, Stuck: []podwatch.Stuck{held(5)}})
	check("when they do again", 5)
	restart()
	check("after another start", 5)
	w.clock.SetTime(w.clock.Now().Add(allPodsTimeout))
	check("when a pod stays silent")
}

// TestKafkaReachableStays: the condition stays when the operator starts again, or another
// one takes over.
func TestKafkaReachableStays(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	before := w.next()
	w.restart()
	w.kafka.change(func(f *kafkawatch.Facts) { *f = kafkawatch.Facts{} })
	after := w.next()
	was, is := meta.FindStatusCondition(before.Conditions, "KafkaReachable"), meta.FindStatusCondition(after.Conditions, "KafkaReachable")
	if was.Status != yes || is == nil || *is != *was {
		t.Errorf("it was %+v, and is %+v", was, is)
	}
}
