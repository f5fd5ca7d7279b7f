package fetch

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// reader reads from a Fetcher as the engine does: it asks for the next set of a
// partition when one arrives, and decodes all of it.
type reader struct {
	t      testing.TB
	f      *Fetcher
	log    *testkit.Log
	epochs map[int32]uint64
	next   map[int32]int64
	got    map[int32][]record.Record
	marks  map[int32]watermarks
	errs   map[int32]error
	onSet  func(s *batch.Set) // before it is decoded
	noAsk  bool
	batch  batch.Batch
}

func newReader(t testing.TB, addrs []string, cfg Config) *reader {
	t.Helper()
	log := &testkit.Log{}
	client, err := kafka.NewClient(kafka.ClientConfig{BootstrapServers: addrs, ClientID: "test", Topics: []string{cfg.Topic}, Logger: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = log.Logger()
	r := &reader{
		t: t, f: New(client, cfg), log: log,
		epochs: map[int32]uint64{}, next: map[int32]int64{}, got: map[int32][]record.Record{},
		marks: map[int32]watermarks{}, errs: map[int32]error{},
	}
	t.Cleanup(func() {
		r.f.Close()
		client.Close()
		if t.Failed() {
			t.Logf("logged: %q", log.Lines())
		}
	})
	return r
}

func (r *reader) start(partition int32, offset int64) {
	r.epochs[partition] = r.f.Start(partition, offset)
	r.next[partition] = offset
}

// until takes sets until the condition holds.
func (r *reader) until(what string, condition func() bool) {
	r.t.Helper()
	timeout := time.After(testkit.Patience)
	for !condition() {
		select {
		case s := <-r.f.Sets():
			r.take(s)
		case <-timeout:
			r.t.Fatalf("waited %v in vain: %s; read up to %v, errors %v", testkit.Patience, what, r.next, r.errs)
		}
	}
}

// take decodes a set.
func (r *reader) take(s *batch.Set) {
	r.t.Helper()
	defer s.Release()
	if s.Epoch != r.epochs[s.Partition] {
		return
	}
	if r.onSet != nil {
		r.onSet(s)
	}
	if s.Err != nil {
		r.errs[s.Partition] = s.Err
		return
	}
	r.marks[s.Partition] = watermarks{s.HighWatermark, s.LastStableOffset, s.LogStartOffset}
	if !r.noAsk {
		r.f.Ask(s.Partition)
	}
	for !s.Done() {
		if err := s.Next(&r.batch, 512, 1<<20); err != nil {
			r.errs[s.Partition] = err
			break
		}
		if r.batch.First != r.next[s.Partition] {
			r.t.Fatalf("partition %d: a batch from %d where %d is next", s.Partition, r.batch.First, r.next[s.Partition])
		}
		for i := range r.batch.Records {
			r.got[s.Partition] = append(r.got[s.Partition], batchtest.Clone(r.batch.Records[i]))
		}
		r.next[s.Partition] = r.batch.Next
	}
	r.batch.Release()
}

// reads waits until partitions are read up to these offsets.
func (r *reader) reads(ends map[int32]int64) {
	r.t.Helper()
	r.until(fmt.Sprintf("all is read up to %v", ends), func() bool {
		for partition, end := range ends {
			if r.next[partition] < end {
				return false
			}
		}
		return true
	})
}

// fetchGoroutines returns the stacks of goroutines that have to do with
// fetching.
func fetchGoroutines() []string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var out []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		for _, name := range []string{"fetch.(*router)", "fetch.(*poller)", "fetch.(*request)"} {
			if strings.Contains(stack, name) && !strings.Contains(stack, "testing.tRunner") {
				out = append(out, stack)
				break
			}
		}
	}
	return out
}

// busyPollers returns how many requests are under way.
func (f *Fetcher) busyPollers() (n int) {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	for _, b := range f.table.brokers {
		for _, p := range []*poller{&b.first, &b.second} {
			if p.request != nil {
				n++
			}
		}
	}
	return n
}

// busyCursors returns how many partitions can't be asked for at the moment.
func (f *Fetcher) busyCursors() (n int) {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	for _, c := range f.table.cursors {
		if c.busy {
			n++
		}
	}
	return n
}

// numbered returns count records for a partition whose values name it and count
// up.
func numbered(topic string, partition int32, from, count int) []*kgo.Record {
	out := make([]*kgo.Record, count)
	for i := range out {
		out[i] = &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Appendf(nil, "%d/%d", partition, from+i)}
	}
	return out
}

// checkNumbered fails unless the reader got the records that numbered made, each
// once and in order.
func (r *reader) checkNumbered(partition int32, count int) {
	r.t.Helper()
	got := r.got[partition]
	if len(got) != count {
		r.t.Errorf("partition %d: got %d records, want %d", partition, len(got), count)
		return
	}
	for i := range got {
		if want := fmt.Sprintf("%d/%d", partition, i); string(got[i].Value) != want {
			r.t.Fatalf("partition %d: record %d is %q, want %q", partition, i, got[i].Value, want)
		}
	}
}
