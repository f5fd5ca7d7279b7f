package kafka

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

const testPatience = 30 * time.Second

// logLines collects what is logged.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

func (l *logLines) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, args)
	}, funcr.Options{})
}

func (l *logLines) count(part string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// reader reads from a Fetcher as the engine does: it asks for the next set of a
// partition when one arrives, and decodes all of it.
type reader struct {
	t      testing.TB
	f      *Fetcher
	log    *logLines
	epochs map[int32]uint64
	next   map[int32]int64
	got    map[int32][]record.Record
	marks  map[int32]watermarks
	errs   map[int32]error
	onSet  func(s *batch.Set) // before it is decoded
	noAsk  bool
	batch  batch.Batch
}

func newReader(t testing.TB, addrs []string, cfg FetcherConfig) *reader {
	t.Helper()
	log := &logLines{}
	client, err := NewClient(ClientConfig{BootstrapServers: addrs, ClientID: "test", Topics: []string{cfg.Topic}, Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = log.logger()
	r := &reader{
		t: t, f: client.NewFetcher(cfg), log: log,
		epochs: map[int32]uint64{}, next: map[int32]int64{}, got: map[int32][]record.Record{},
		marks: map[int32]watermarks{}, errs: map[int32]error{},
	}
	t.Cleanup(func() {
		r.f.Close()
		client.Close()
		if t.Failed() {
			t.Logf("logged: %q", log.lines)
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
	timeout := time.After(testPatience)
	for !condition() {
		select {
		case s := <-r.f.Sets():
			r.take(s)
		case <-timeout:
			r.t.Fatalf("waited %v in vain: %s; read up to %v, errors %v", testPatience, what, r.next, r.errs)
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

// awaitState waits for a condition that does not depend on sets being taken.
func awaitState(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(testPatience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain: %s", testPatience, what)
		}
	}
}

// fetchGoroutines returns the stacks of goroutines that have to do with
// fetching.
func fetchGoroutines() []string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var out []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		for _, name := range []string{"kafka.(*Fetcher)", "kafka.(*lane)", "kafka.(*fetchRequest)"} {
			if strings.Contains(stack, name) && !strings.Contains(stack, "testing.tRunner") {
				out = append(out, stack)
				break
			}
		}
	}
	return out
}

// busyLanes returns how many requests are under way.
func (f *Fetcher) busyLanes() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.brokers {
		for _, l := range []*lane{&b.first, &b.second} {
			if l.request != nil {
				n++
			}
		}
	}
	return n
}

// busyCursors returns how many partitions can't be asked for at the moment.
func (f *Fetcher) busyCursors() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cursors {
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
