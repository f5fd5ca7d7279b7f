package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// script makes a log by hand: a run of a few seconds, in which each record is written,
// processed and committed in turn unless a test says otherwise.
type script struct {
	t       *testing.T
	c       *Checker
	now     time.Time
	start   time.Time
	offsets map[string]int64 // of the output and the dead letters, by topic and partition
	history History
}

const outputPartitions = 4

func newScript(t *testing.T, ordering config.Ordering, delivery config.Delivery) *script {
	at := time.UnixMilli(1_700_000_000_000)
	return &script{
		t: t, now: at, start: at, offsets: map[string]int64{},
		c: New(Settings{Ordering: ordering, Delivery: delivery, Input: "in", OutputPartitions: outputPartitions}),
	}
}

func (s *script) wait(d time.Duration) { s.now = s.now.Add(d) }

// records writes n records of a kind and key into partition 0, from a sequence number on.
func (s *script) records(from int64, n int, kind workload.Kind, key int) []workload.ID {
	ids := make([]workload.ID, n)
	for i := range ids {
		ids[i] = workload.ID{Seq: from + int64(i), Key: key, KeySeq: int64(i), Kind: kind}
		s.c.Input(ids[i], s.now)
		s.wait(time.Millisecond)
	}
	return ids
}

// output makes an output as a worker would. Tests change it before they give it to the
// checker.
func (s *script) output(id workload.ID, index int, process string) *kgo.Record {
	r := &kgo.Record{
		Topic: "out", Key: id.OutputKey(index), Value: workload.OutputValue(id.Kind, id.Value(), index), Timestamp: s.now,
		Headers: []kgo.RecordHeader{
			{Key: workload.HeaderID, Value: []byte(id.String())},
			{Key: workload.HeaderIndex, Value: strconv.AppendInt(nil, int64(index), 10)},
			{Key: workload.HeaderProcess, Value: []byte(process)},
		},
	}
	if r.Key != nil {
		r.Partition = s.c.layouts.home(r.Key, 0, outputPartitions)
	}
	r.Offset = s.next("out", r.Partition)
	s.wait(time.Millisecond)
	return r
}

func (s *script) letter(id workload.ID) *kgo.Record {
	r := &kgo.Record{
		Topic: "dead", Key: id.KeyBytes(), Value: id.Value(), Timestamp: s.now, Offset: s.next("dead", 0),
		Headers: []kgo.RecordHeader{
			{Key: workload.HeaderID, Value: []byte(id.String())},
			{Key: worker.HeaderTopic, Value: []byte("in")},
			{Key: worker.HeaderPartition, Value: []byte("0")},
			{Key: worker.HeaderOffset, Value: strconv.AppendInt(nil, id.Seq, 10)},
			{Key: worker.HeaderError, Value: []byte("an error")},
		},
	}
	s.wait(time.Millisecond)
	return r
}

func (s *script) next(topic string, partition int32) int64 {
	key := fmt.Sprintf("%s/%d", topic, partition)
	s.offsets[key]++
	return s.offsets[key] - 1
}

// write writes all outputs of records by a process.
func (s *script) write(process string, ids ...workload.ID) {
	for _, id := range ids {
		for index := range id.Kind.Outputs() {
			s.c.Output(s.output(id, index, process))
		}
	}
}

// commit samples a commit of partition 0.
func (s *script) commit(c Commit) {
	sample := Sample{At: s.now, Commits: map[int32]Commit{0: c}, OutputEnds: map[int32]int64{}, LettersEnds: map[int32]int64{}}
	for p := range int32(outputPartitions) {
		sample.OutputEnds[p] = s.offsets[fmt.Sprintf("out/%d", p)]
	}
	sample.LettersEnds[0] = s.offsets["dead/0"]
	s.c.Sample(sample)
	s.wait(time.Millisecond)
}

// lives notes a process that ran from the start until now.
func (s *script) ended(process, cause string, graceful bool) {
	s.history.Lives = append(s.history.Lives, Life{Process: process, Start: s.start, End: s.now, Cause: cause, Graceful: graceful})
	s.wait(time.Millisecond)
}

// expect finishes the run and compares the rules that are broken.
func (s *script) expect(rules ...Rule) Verdict {
	s.t.Helper()
	v := s.c.Finish(s.history)
	got := slices.Sorted(maps.Keys(v.Violations))
	if slices.Sort(rules); !slices.Equal(got, rules) {
		s.t.Errorf("the broken rules are %v, want %v: %v", got, rules, v.Violations)
	}
	return v
}
