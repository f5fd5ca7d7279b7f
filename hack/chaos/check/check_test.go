package check

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest/committed"
)

// TestGoodRun: every kind of record, as a good worker handles it.
func TestGoodRun(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		s := newScript(t, ordering, config.AtLeastOnce)
		seq := int64(0)
		for _, kind := range workload.Kinds() {
			key := 1
			if kind == workload.NullKey {
				key = -1
			}
			id := s.records(seq, 1, kind, key)[0]
			s.write("a", id)
			if kind.Letter() {
				s.c.Letter(s.letter(id))
			}
			seq++
			s.commit(Commit{Offset: seq})
		}
		s.expect()
	}
}

func TestMissingOutputsAndLetters(t *testing.T) {
	for name, drop := range map[string]func(s *script){
		"an output": func(s *script) { s.records(0, 1, workload.Plain, 1) },
		"the second output": func(s *script) {
			s.c.Output(s.output(s.records(0, 1, workload.Twin, 1)[0], 0, "a"))
		},
		"a dead letter": func(s *script) { s.records(0, 1, workload.Poison, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, config.Key, config.AtLeastOnce)
			drop(s)
			s.expect(Lost)
		})
	}
}

func TestWhatMustNotBe(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	s.c.Output(s.output(s.records(0, 1, workload.Filtered, 1)[0], 0, "a"))
	s.expect(Unexpected)

	s = newScript(t, config.Key, config.AtLeastOnce)
	plain := s.records(0, 1, workload.Plain, 1)[0]
	s.write("a", plain)
	s.c.Letter(s.letter(plain))
	s.expect(Unexpected)
}

func TestWrongBytes(t *testing.T) {
	for name, spoil := range map[string]func(r *kgo.Record){
		"value":           func(r *kgo.Record) { r.Value[3] ^= 1 },
		"null value":      func(r *kgo.Record) { r.Value = nil },
		"no index header": func(r *kgo.Record) { r.Headers = r.Headers[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, config.Key, config.AtLeastOnce)
			id := s.records(0, 1, workload.Plain, 1)[0]
			bad := s.output(id, 0, "a")
			spoil(bad)
			s.c.Output(bad)
			s.c.note(bad, id, 0, "a") // so that it is not lost as well
			s.c.duplicates = nil
			s.expect(WrongBytes)
		})
	}
	s := newScript(t, config.Key, config.AtLeastOnce)
	poison := s.records(0, 1, workload.Poison, 1)[0]
	letter := s.letter(poison)
	letter.Value = letter.Value[1:]
	s.c.Letter(letter)
	s.expect(WrongBytes)
}

func TestEmptyIsNotNull(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	r := s.output(s.records(0, 1, workload.Tombstone, 1)[0], 0, "a")
	r.Value = []byte{}
	s.c.Output(r)
	s.expect(WrongBytes)
}

func TestWrongPartition(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	r := s.output(s.records(0, 1, workload.Plain, 1)[0], 0, "a")
	r.Partition = (r.Partition + 1) % outputPartitions
	s.c.Output(r)
	s.expect(WrongPlace)
}

// TestOutputGrows: after the topic has grown, keys may be in their former partition for
// as long as a producer may not know of it, and not longer.
func TestOutputGrows(t *testing.T) {
	for _, late := range []bool{false, true} {
		s := newScript(t, config.Unordered, config.AtLeastOnce)
		s.c.OutputGrows(s.now, outputPartitions+3)
		if late {
			s.wait(layoutLag + time.Second)
		}
		ids := s.records(0, 1, workload.Plain, 1)
		for key := 2; s.home(ids[0].Key, outputPartitions) == s.home(ids[0].Key, outputPartitions+3); key++ {
			ids = s.records(0, 1, workload.Plain, key)
		}
		s.write("a", ids...)
		if late {
			s.expect(WrongPlace)
		} else {
			s.expect()
		}
	}
}

func TestOrder(t *testing.T) {
	for _, c := range []struct {
		ordering    config.Ordering
		sameKey     bool
		wantWithKey []Rule
	}{
		{config.Unordered, true, nil},
		{config.Key, true, []Rule{Reordered}},
		{config.Key, false, nil},
		{config.Partition, true, []Rule{Reordered}},
	} {
		s := newScript(t, c.ordering, config.AtLeastOnce)
		ids := s.records(0, 2, workload.NullKey, -1)
		if c.sameKey {
			ids = s.records(0, 2, workload.Plain, 1)
		}
		s.write("a", ids[1], ids[0])
		s.expect(c.wantWithKey...)
	}
}

// moving returns a key of input partition 0 that moves to another partition when the output
// grows by one, or one that stays.
func (s *script) moving(moves bool) int {
	key := 1
	for ; (s.home(key, outputPartitions) != s.home(key, outputPartitions+1)) != moves; key++ {
	}
	return key
}

func (s *script) home(key int, partitions int32) int32 {
	return s.c.layouts.home(workload.ID{Key: key}.KeyBytes(), 0, partitions)
}

// TestOrderWhenTheOutputGrows: records that were written before a growth may come behind
// later ones, if their key has moved; others may not.
func TestOrderWhenTheOutputGrows(t *testing.T) {
	for _, grown := range []bool{false, true} {
		s := newScript(t, config.Key, config.AtLeastOnce)
		moves := s.moving(true)
		ids := s.records(0, 2, workload.Plain, moves)
		if grown {
			s.c.OutputGrows(s.now, outputPartitions+1)
			s.wait(time.Second)
		}
		for _, id := range []workload.ID{ids[1], ids[0]} {
			r := s.output(id, 0, "a")
			if grown {
				r.Partition = s.home(moves, outputPartitions+1)
			}
			s.c.Output(r)
		}
		if grown {
			if v := s.expect(); v.Figures.Crossed != 1 {
				t.Errorf("%d records crossed, want 1", v.Figures.Crossed)
			}
		} else {
			s.expect(Reordered)
		}
	}
}

// TestOrderOfPartitionsWhenTheOutputGrows: a process dies before it has written a record, and
// after it has written a later one to another partition. If the first one's key moves there,
// it comes behind. It may not if its key stays, or before the growth.
func TestOrderOfPartitionsWhenTheOutputGrows(t *testing.T) {
	for name, c := range map[string]struct {
		moves, keyless, grown bool
		rules                 []Rule
	}{
		"the key moves":             {moves: true, grown: true},
		"there is no key":           {keyless: true, grown: true},
		"the key stays":             {grown: true, rules: []Rule{Reordered}},
		"the output has not grown":  {moves: true, rules: []Rule{Reordered, WrongPlace}},
		"no key, and not grown yet": {keyless: true, rules: []Rule{Reordered}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, config.Partition, config.AtLeastOnce)
			const input = outputPartitions // whose records without a key move to the new partition
			first := workload.ID{Partition: input, Kind: workload.NullKey, Key: -1}
			to := int32(outputPartitions)
			if !c.keyless {
				first = workload.ID{Key: s.moving(c.moves), Kind: workload.Plain}
				to = s.home(first.Key, outputPartitions+1)
			}
			second := workload.ID{Partition: first.Partition, Seq: 1, Kind: workload.NullKey, Key: -1}
			for _, id := range []workload.ID{first, second} {
				s.c.Input(id, s.now)
			}
			write := func(id workload.ID, process string) {
				r := s.output(id, 0, process)
				r.Partition = to
				s.c.Output(r)
			}
			write(second, "a")
			s.ended("a", "kill -9", false)
			if c.grown {
				s.c.OutputGrows(s.now, outputPartitions+1)
			}
			write(first, "b")
			if v := s.expect(c.rules...); v.Figures.Crossed != int64(1-min(len(c.rules), 1)) {
				t.Errorf("%d records crossed", v.Figures.Crossed)
			}
		})
	}
}

// TestOrderWhenLargeRecordsAreRefused: the process that refused a large record must not write
// it behind later ones. Another process, which does not know of that, may.
func TestOrderWhenLargeRecordsAreRefused(t *testing.T) {
	for process, rules := range map[string][]Rule{"a": {Reordered}, "b": nil} {
		s := newScript(t, config.Partition, config.ExactlyOnce)
		large := s.records(0, 1, workload.Large, 1)
		plain := s.records(1, 1, workload.Plain, 1)
		s.now = time.Now()
		over := s.c.LargeAreRefused()
		s.wait(time.Second)
		s.write("a", plain[0])
		over()
		s.write(process, large[0])
		s.expect(rules...)
	}
}

// TestSamplesThatCross: a sample that comes behind a later one says nothing about commits.
func TestSamplesThatCross(t *testing.T) {
	s := newScript(t, config.Unordered, config.AtLeastOnce)
	s.write("a", s.records(0, 4, workload.Plain, 1)...)
	early := s.now
	s.wait(time.Second)
	s.commit(Commit{Offset: 4})
	s.now = early
	s.commit(Commit{Offset: 2})
	s.expect(Harness)
}

// TestRepetitionIsNoDisorder: after a crash, records come again behind later ones.
func TestRepetitionIsNoDisorder(t *testing.T) {
	s := newScript(t, config.Partition, config.AtLeastOnce)
	ids := s.records(0, 4, workload.Plain, 1)
	s.write("a", ids[:3]...)
	s.ended("a", "kill -9", false)
	s.write("b", ids[1:]...)
	v := s.expect()
	want := Cause{Kind: "kill -9", Faults: 1, Duplicates: 2, Most: 2, Bound: 3}
	if len(v.Causes) != 1 || v.Causes[0] != want {
		t.Errorf("the causes are %+v, want %+v", v.Causes, want)
	}
}

// TestThirdCopies: each copy has its cause in the fate of the one before.
func TestThirdCopies(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	ids := s.records(0, 2, workload.Plain, 1)
	for _, process := range []string{"a", "b", "c"} {
		s.write(process, ids...)
		s.ended(process, "kill -9", process == "c")
	}
	v := s.expect()
	want := Cause{Kind: "kill -9", Faults: 2, Duplicates: 4, Most: 2, Bound: 4}
	if len(v.Causes) != 1 || v.Causes[0] != want {
		t.Errorf("the causes are %+v, want %+v", v.Causes, want)
	}
}

// TestAKillExplainsWhatWasNotCommitted: the process before had committed one record, so
// its end is not why another one writes that again.
func TestAKillExplainsWhatWasNotCommitted(t *testing.T) {
	for struck, rules := range map[string][]Rule{"": {Doubled}, "a": nil, "b": nil, "c": {Doubled}} {
		s := newScript(t, config.Key, config.AtLeastOnce)
		ids := s.records(0, 2, workload.Plain, 1)
		s.write("a", ids...)
		s.commit(Commit{Offset: 1})
		s.ended("a", "kill -9", false)
		s.history.Lives = append(s.history.Lives, Life{Process: "b", Start: s.start}) // since before the commit
		if struck != "" {
			s.history.Events = []Event{{Kind: "SIGSTOP", Process: struck, Begin: s.start, End: s.now}}
		}
		s.write("b", ids...)
		v := s.expect(rules...)
		if len(v.Causes) != 2 || v.Causes[0].Duplicates != 1 || v.Causes[1].Duplicates != 1 {
			t.Errorf("the causes are %+v, want one duplicate each", v.Causes)
		}
	}
}

func TestDuplicatesWithoutACause(t *testing.T) {
	double := func(ended func(s *script)) *script {
		s := newScript(t, config.Key, config.AtLeastOnce)
		ids := s.records(0, 3, workload.Plain, 1)
		s.write("a", ids...)
		ended(s)
		s.wait(time.Second)
		s.write("b", ids[2])
		return s
	}
	double(func(s *script) { s.ended("a", "exit 0", true) }).expect(Doubled)
	double(func(s *script) {
		s.ended("a", "exit 0", true)
		s.history.Events = []Event{{Kind: "broker stop", Graceful: true, Begin: s.now, End: s.now}}
	}).expect(Doubled)
	double(func(s *script) {
		s.ended("a", "exit 0", true)
		s.history.Events = []Event{{Kind: "broker kill", Begin: s.now, End: s.now}}
	}).expect()
	// A fault that is over for long explains nothing.
	double(func(s *script) {
		s.history.Events = []Event{{Kind: "broker kill", Begin: s.start.Add(-time.Hour), End: s.start.Add(-aftermath - time.Second)}}
	}).expect(Doubled)
	// Nor does one that struck another process.
	double(func(s *script) {
		s.history.Events = []Event{{Kind: "SIGSTOP", Process: "c", Begin: s.now, End: s.now}}
	}).expect(Doubled)
	double(func(s *script) {
		s.history.Events = []Event{{Kind: "SIGSTOP", Process: "a", Begin: s.now, End: s.now}}
	}).expect()
}

// TestARefusedWorkerThatLostAnAnswer: one of both faults is no excuse for a duplicate.
func TestARefusedWorkerThatLostAnAnswer(t *testing.T) {
	for _, c := range []struct {
		network, refuses bool
		cause            string
		rules            []Rule
	}{
		{true, true, "exit 1", nil},
		{true, true, "exit 0", []Rule{Doubled}},
		{true, false, "exit 1", []Rule{Doubled}},
		{false, true, "exit 1", []Rule{Doubled}},
	} {
		s := newScript(t, config.Key, config.AtLeastOnce)
		ids := s.records(0, 2, workload.Plain, 1)
		s.write("a", ids...)
		if c.network {
			s.history.Events = append(s.history.Events, Event{Kind: "network reset", Graceful: true, Network: true, Begin: s.start, End: s.now})
		}
		if c.refuses {
			s.history.Events = append(s.history.Events, Event{Kind: "no permission", Graceful: true, Refuses: true, Begin: s.start, End: s.now})
		}
		s.ended("a", c.cause, true)
		s.write("b", ids[1])
		s.expect(c.rules...)
	}
}

// TestCommittedRecordsAreNotRepeated: a process that starts after the commit reads on
// behind it, whatever ended the one before.
func TestCommittedRecordsAreNotRepeated(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	ids := s.records(0, 3, workload.Plain, 1)
	s.write("a", ids...)
	s.commit(Commit{Offset: 3})
	s.ended("a", "kill -9", false)
	s.start = s.now
	s.write("b", ids[2])
	s.ended("b", "exit 0", true)
	s.expect(Doubled)
}

func TestExactlyOnceForgivesNoDuplicate(t *testing.T) {
	s := newScript(t, config.Unordered, config.ExactlyOnce)
	ids := s.records(0, 1, workload.Plain, 1)
	s.write("a", ids...)
	s.ended("a", "kill -9", false)
	s.write("b", ids...)
	s.expect(Doubled)
}

// TestAPartitionWithoutRecords: the input has grown at the very end of an episode, and the
// group has committed where the new partition begins.
func TestAPartitionWithoutRecords(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	s.write("a", s.records(0, 1, workload.Plain, 1)...)
	s.c.Sample(Sample{At: s.now, Commits: map[int32]Commit{3: {}}})
	s.commit(Commit{Offset: 1})
	s.expect()
}

func TestCommitAhead(t *testing.T) {
	// The offset, and then the metadata, cover a record before its output is there.
	for _, ahead := range []Commit{{Offset: 2}, {Offset: 1, Settled: []committed.Range{{First: 1, Next: 2}}}} {
		s := newScript(t, config.Key, config.AtLeastOnce)
		ids := s.records(0, 2, workload.Plain, 1)
		s.write("a", ids[0])
		s.commit(ahead)
		s.write("a", ids[1])
		s.expect(CommitAhead)
	}
	s := newScript(t, config.Key, config.AtLeastOnce)
	poison := s.records(0, 1, workload.Poison, 1)[0]
	s.commit(Commit{Offset: 1})
	s.c.Letter(s.letter(poison))
	s.expect(CommitAhead)
}

func TestCommitMovesBack(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	s.write("a", s.records(0, 3, workload.Plain, 1)...)
	s.commit(Commit{Offset: 3})
	s.commit(Commit{Offset: 2})
	s.expect(CommitBack)

	// A request that arrives late explains it, and the record at offset 2 may come again.
	s = newScript(t, config.Key, config.AtLeastOnce)
	ids := s.records(0, 3, workload.Plain, 1)
	s.write("a", ids...)
	s.commit(Commit{Offset: 3})
	s.history.Events = []Event{{Kind: "network late request", Kafka: true, Begin: s.start, End: s.now}}
	s.commit(Commit{Offset: 2})
	s.ended("a", "kill -9", false)
	s.start = s.now
	s.write("b", ids[2])
	s.ended("b", "exit 0", true)
	if v := s.expect(); v.Figures.CommitsBack != 1 {
		t.Errorf("%d commits moved back, want 1", v.Figures.CommitsBack)
	}
}

// TestLargeRecordsWhileTheyAreRefused: such a record is an output or a dead letter.
func TestLargeRecordsWhileTheyAreRefused(t *testing.T) {
	s := newScript(t, config.Key, config.AtLeastOnce)
	ids := s.records(0, 3, workload.Large, 1)
	s.write("a", ids[1:]...)
	s.c.Letter(s.letter(ids[0]))
	s.expect(Unexpected)

	s = newScript(t, config.Key, config.AtLeastOnce)
	s.records(0, 3, workload.Large, 1)
	s.now = time.Now()
	over := s.c.LargeAreRefused()
	s.wait(time.Second)
	s.c.Letter(s.letter(ids[0]))
	s.write("a", ids[1])
	over()
	s.expect(Lost) // ids[2]

	for delivery, rules := range map[config.Delivery][]Rule{config.AtLeastOnce: nil, config.ExactlyOnce: {Unexpected}} {
		s = newScript(t, config.Key, delivery)
		s.records(0, 1, workload.Large, 1)
		s.now = time.Now()
		over = s.c.LargeAreRefused()
		s.wait(time.Second)
		s.c.Letter(s.letter(ids[0]))
		s.write("a", ids[0])
		over()
		s.expect(rules...)
	}
}

// marker ends a transaction of producer 7 in a partition.
func (s *script) marker(partition int32, commit bool) *kgo.Record {
	key := []byte{0, 0, 0, 0}
	if commit {
		binary.BigEndian.PutUint16(key[2:], 1)
	}
	r := &kgo.Record{Topic: "out", Partition: partition, ProducerID: 7, Offset: s.next("out", partition), Key: key, Timestamp: s.now}
	// franz-go sets the attributes by a method that is not exported to others, so the
	// test calls the checker's method instead.
	return r
}

// TestTransactions: outputs become visible at the end of their transaction.
func TestTransactions(t *testing.T) {
	s := newScript(t, config.Unordered, config.ExactlyOnce)
	ids := s.records(0, 2, workload.Plain, 1)
	first := s.output(ids[0], 0, "a")
	first.ProducerID = 7
	s.c.Output(first)
	if n := len(s.c.partitions[0].timeline); n != 0 {
		t.Errorf("%d outputs are visible before the transaction's end", n)
	}
	s.wait(80 * time.Millisecond)
	s.c.marker(s.marker(first.Partition, true))
	if n := len(s.c.partitions[0].timeline); n != 1 {
		t.Errorf("%d outputs are visible after the transaction's end, want 1", n)
	}
	s.c.marker(s.marker(first.Partition, false))
	s.write("a", ids[1])
	s.c.OpenTransaction("t", s.now.Add(-openBound-time.Second), s.now)
	v := s.expect(Stuck)
	if f := v.Figures; f.Transactions != 1 || f.Aborted != 1 || f.LongestTransaction < 80*time.Millisecond {
		t.Errorf("the figures are %+v", f)
	}
}

// TestStalls: partition 0 moves from a to b and stands still for 1.5 s.
func TestStalls(t *testing.T) {
	stall := func(change func(s *script, e *Event)) (Verdict, *script) {
		s := newScript(t, config.Unordered, config.AtLeastOnce)
		ids := s.records(0, 4, workload.Plain, 1)
		s.write("a", ids[:2]...)
		e := Event{Kind: "SIGTERM", Graceful: true, Alone: true, Begin: s.now, End: s.now}
		s.wait(1500 * time.Millisecond)
		s.write("b", ids[2:]...)
		e.Until = s.now.Add(time.Second)
		s.history.Bounds = []Bound{{Kind: "SIGTERM", Moved: time.Second, Stayed: time.Second}}
		change(s, &e)
		s.history.Events = []Event{e}
		return s.c.Finish(s.history), s
	}
	v, _ := stall(func(*script, *Event) {})
	if len(v.Stalls) != 1 || v.Stalls[0].Moved.Partitions != 1 || v.Stalls[0].Moved.Longest < 1500*time.Millisecond || v.Violations[Stalled].Count != 1 {
		t.Errorf("a stall of 1.5 s: %+v, %+v", v.Stalls, v.Violations)
	}
	v, _ = stall(func(_ *script, e *Event) { e.Alone = false })
	if v.Violations[Stalled].Count != 0 {
		t.Errorf("faults that others overlap have no bound: %+v", v.Violations)
	}
	v, _ = stall(func(s *script, _ *Event) { s.history.Starved = []Span{{s.now.Add(-time.Second), s.now}} })
	if v.Violations[Stalled].Count != 0 || v.Stalls[0].Starved != 1 {
		t.Errorf("the machine stood still: %+v, %+v", v.Stalls, v.Violations)
	}
	// A partition that has nothing to do does not stand still.
	v, _ = stall(func(s *script, _ *Event) {
		for seq := range s.c.partitions[0].slots[2:] {
			s.c.partitions[0].slots[2+seq].written = s.now.UnixMilli() - 20
		}
	})
	if v.Violations[Stalled].Count != 0 {
		t.Errorf("a partition without input: %+v", v.Violations)
	}
}

func TestLengthOfSpans(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	spans := []Span{{at(10), at(12)}, {at(0), at(3)}, {at(2), at(4)}, {at(11), at(12)}}
	if got := Length(spans); got != 6*time.Second {
		t.Errorf("Length = %s, want 6s", got)
	}
}

func TestFlowing(t *testing.T) {
	s := newScript(t, config.Unordered, config.AtLeastOnce)
	if s.c.Flowing(s.now) {
		t.Error("outputs flow before there are any")
	}
	ids := s.records(0, 1, workload.Plain, 1)
	s.write("a", ids...)
	if !s.c.Flowing(s.now) {
		t.Error("no outputs flow after one")
	}
	if s.c.Flowing(s.now.Add(flowing + time.Second)) {
		t.Error("outputs flow long after the last")
	}
	s.c.Input(workload.ID{Partition: 1}, s.now)
	if s.c.Flowing(s.now) {
		t.Error("outputs flow while a partition has none")
	}
}
