package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestEveryRecordArrivesOnceAndIsCommitted(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			r, _ := fakeRig(t, 4)
			const n = 20_000
			r.produce(0, n, 100)
			w := r.start(identity, func(c *config.Config) { c.Ordering = ordering })
			r.awaitSettled(w)
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
			r.wantCommitted("group")

			again := r.start(identity)
			r.produce(n, 10, 100)
			r.awaitSettled(again)
			again.drain()
			wantEach(t, r.values("out"), 0, n+10, false)
		})
	}
}

// wantCommitted fails unless the group's offsets are the ends of "in".
func (r *rig) wantCommitted(group string) {
	r.t.Helper()
	committed := r.cluster.GroupOffsets(group)
	for p, end := range r.ends("in") {
		if got := committed["in"][p].Offset; got != end {
			r.t.Errorf("partition %d: committed %d, want %d", p, got, end)
		}
	}
}

func TestNothingOfARecordIsLostOnItsWay(t *testing.T) {
	r, _ := fakeRig(t, 1)
	at := time.UnixMilli(1_700_000_000_123)
	big := make([]byte, 900_000)
	for i := range big {
		big[i] = byte(i * 7)
	}
	records := []*kgo.Record{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: at},
		{Key: nil, Value: []byte("no key"), Timestamp: at},
		{Key: []byte{}, Value: []byte{}, Timestamp: at},
		{Key: []byte("tombstone"), Value: nil, Timestamp: at},
		{Key: []byte("h"), Value: []byte("headers"), Timestamp: at, Headers: []kgo.RecordHeader{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}, {Key: "traceparent", Value: []byte("00-x")},
		}},
		{Key: []byte("big"), Value: big, Timestamp: at},
	}
	for _, rec := range records {
		rec.Topic = "in"
	}
	r.cluster.Produce(records...)
	w := r.start(identity, func(c *config.Config) { c.Ordering = config.Partition })
	r.awaitSettled(w)
	w.drain()
	got := r.cluster.ConsumeAll("out", kgo.ReadCommitted())
	if len(got) != len(records) {
		t.Fatalf("%d records out, want %d", len(got), len(records))
	}
	for i, want := range records {
		if diff := difference(got[i], want); diff != "" {
			t.Errorf("record %d (%.20q): %s", i, want.Value, diff)
		}
	}
}

// difference compares everything that must survive.
func difference(got, want *kgo.Record) string {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }
	switch {
	case !same(got.Key, want.Key):
		return fmt.Sprintf("key %#v, want %#v", got.Key, want.Key)
	case !same(got.Value, want.Value):
		return fmt.Sprintf("value of %d bytes (nil: %v), want %d (nil: %v)", len(got.Value), got.Value == nil, len(want.Value), want.Value == nil)
	case got.Timestamp.UnixMilli() != want.Timestamp.UnixMilli():
		return fmt.Sprintf("timestamp %v, want %v", got.Timestamp, want.Timestamp)
	case len(got.Headers) != len(want.Headers):
		return fmt.Sprintf("headers %v, want %v", got.Headers, want.Headers)
	}
	for i := range want.Headers {
		if got.Headers[i].Key != want.Headers[i].Key || !same(got.Headers[i].Value, want.Headers[i].Value) {
			return fmt.Sprintf("header %d: %v, want %v", i, got.Headers[i], want.Headers[i])
		}
	}
	return ""
}

// TestOutputsKeepTheirOrder processes with failures and checks that the outputs
// of each key, or partition, are in the order of the inputs.
func TestOutputsKeepTheirOrder(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Key, config.Partition} {
		for _, batch := range []bool{false, true} {
			t.Run(fmt.Sprint(ordering, " batch ", batch), func(t *testing.T) {
				r, _ := fakeRig(t, 3)
				r.cfg.Ordering = ordering
				orderTest(t, r, batch)
			})
		}
	}
}

// orderTest works through records with Zipf keys, of which some fail at first.
func orderTest(t *testing.T, r *rig, batch bool) {
	const n = 5000
	partitions := r.cluster.Partitions("in")
	zipf := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.1, 1, 500)
	records := make([]*kgo.Record, n)
	for i := range records {
		key := zipf.Uint64()
		records[i] = &kgo.Record{
			Topic: "in", Partition: int32(key % uint64(partitions)),
			Key: strconv.AppendUint(nil, key, 10), Value: strconv.AppendInt(nil, int64(i), 10),
		}
	}
	r.cluster.Produce(records...)
	p := &flaky{fails: map[string]int{}}
	var processor worker.Processor = p
	if batch {
		processor = &flakyBatch{flaky: p}
	}
	w := r.start(processor)
	r.awaitSettled(w)
	w.drain()
	last := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll("out", kgo.ReadCommitted()) {
		v, err := strconv.Atoi(string(rec.Value))
		if err != nil {
			t.Fatal(err)
		}
		if prev, ok := last[string(rec.Key)]; ok && v <= prev {
			t.Fatalf("key %s: %d after %d", rec.Key, v, prev)
		}
		last[string(rec.Key)] = v
	}
	wantEach(t, r.values("out"), 0, n, false)
}

// flaky fails every seventh record once.
type flaky struct {
	mu    sync.Mutex
	fails map[string]int
}

func (f *flaky) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	v, _ := strconv.Atoi(string(rec.Value))
	f.mu.Lock()
	defer f.mu.Unlock()
	if v%7 == 0 && f.fails[string(rec.Value)] == 0 {
		f.fails[string(rec.Value)]++
		return errPoison
	}
	out.EmitValue(rec.Value)
	return nil
}

type flakyBatch struct{ *flaky }

func (f *flakyBatch) BatchSize() int { return 10 }

func (f *flakyBatch) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		out[i].Fail(f.Process(ctx, rec, out[i]))
	}
	return nil
}

// poison fails, panics and gives up on some records.
var poison = worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
	v, _ := strconv.Atoi(string(rec.Value))
	switch v % 100 {
	case 13:
		return nil, errPoison
	case 26:
		panic("boom")
	case 39:
		return nil, failure.Permanent(errPoison)
	}
	return []worker.Output{{Value: rec.Value}}, nil
})

func TestPoisonRecordsGoWhereThePolicySays(t *testing.T) {
	for name, test := range poisonTests {
		t.Run(name, func(t *testing.T) {
			r, _ := fakeRig(t, 2)
			test(t, r)
		})
	}
}

var poisonTests = map[string]func(*testing.T, *rig){
	"DeadLetter": deadLetterTest, "Drop": dropTest, "Halt": haltTest,
}

const poisonRecords = 1000 // of which 30 are poison

func deadLetterTest(t *testing.T, r *rig) {
	r.produce(0, poisonRecords, 10)
	w := r.start(poison)
	r.awaitSettled(w)
	w.drain()
	if got := len(r.values("out")); got != poisonRecords-30 {
		t.Errorf("%d records out, want %d", got, poisonRecords-30)
	}
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 30 {
		t.Fatalf("%d dead letters, want 30", len(letters))
	}
	origins := map[string]bool{}
	for _, l := range letters {
		h := headers(l)
		origins[h[failure.HeaderPartition]+"/"+h[failure.HeaderOffset]] = true
		attempts := "3"
		if v, _ := strconv.Atoi(string(l.Value)); v%100 == 39 {
			attempts = "1"
		}
		if h[failure.HeaderTopic] != "in" || h[failure.HeaderAttempts] != attempts || h[failure.HeaderError] == "" || string(l.Key) == "" {
			t.Errorf("dead letter %s: key %q, headers %v", l.Value, l.Key, h)
		}
	}
	if len(origins) != 30 {
		t.Errorf("%d different origins, want 30", len(origins))
	}
	totals := w.engine.Status().Totals
	if totals.RecordsDeadLettered != 30 || totals.AttemptsFailed != 70 || totals.RecordsOut != poisonRecords-30 {
		t.Errorf("totals = %+v", totals)
	}
}

func dropTest(t *testing.T, r *rig) {
	r.produce(0, poisonRecords, 10)
	w := r.start(poison, func(c *config.Config) { c.Failure.OnExhausted = config.Drop })
	r.awaitSettled(w)
	w.drain()
	if got := w.engine.Status().Totals.RecordsDropped; got != 30 {
		t.Errorf("dropped %d, want 30", got)
	}
	if got := len(r.values("dlq")); got != 0 {
		t.Errorf("%d dead letters of dropped records", got)
	}
}

func haltTest(t *testing.T, r *rig) {
	r.produce(0, poisonRecords, 10)
	w := r.start(poison, func(c *config.Config) { c.Failure.OnExhausted = config.Halt })
	err := w.wait()
	var halt *engine.HaltError
	if !errors.As(err, &halt) {
		t.Fatalf("ended with %v, want a halt", err)
	}
	committed := r.cluster.GroupOffsets("group")["in"][halt.Partition].Offset
	if committed > halt.Offset {
		t.Errorf("committed %d, past the record %d that halted", committed, halt.Offset)
	}
}

func headers(rec *kgo.Record) map[string]string {
	m := map[string]string{}
	for _, h := range rec.Headers {
		m[h.Key] = string(h.Value)
	}
	return m
}

// TestAStuckRecordPausesOnlyItsPartition blocks one record and lets everything
// else go through, within the bounds.
func TestAStuckRecordPausesOnlyItsPartition(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			r, _ := fakeRig(t, 4)
			const n = 8000
			r.produce(0, n, 100) // 0 goes to partition 0
			release := make(chan struct{})
			var started atomic.Int64
			p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				if rec.Partition == 0 {
					started.Add(1)
				}
				if string(rec.Value) == "0" {
					<-release
				}
				return rec.Value, nil
			})
			w := r.start(p, func(c *config.Config) { c.Ordering, c.InFlight.Records = ordering, 400 })
			ends := r.ends("in")
			r.eventually("the other partitions are settled", func() bool {
				settled := 0
				for _, m := range w.engine.Status().Members {
					for _, p := range m.Partitions {
						if p.Partition != 0 && p.Watermark >= ends[p.Partition] {
							settled++
						}
						if p.Partition == 0 && p.Watermark > 0 {
							t.Fatal("the watermark passed the stuck record")
						}
						if p.InFlight.Records > 25+150 {
							t.Fatalf("partition %d has %d records in flight; 25 are its own, and half of 300 it can borrow", p.Partition, p.InFlight.Records)
						}
					}
				}
				return settled == 3
			})
			if c := r.cluster.GroupOffsets("group")["in"][0].Offset; c > 0 {
				t.Errorf("committed %d past the stuck record", c)
			}
			close(release)
			r.awaitSettled(w)
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
		})
	}
}

// TestHandoverLosesAndDoublesNothing adds and removes members under load.
func TestHandoverLosesAndDoublesNothing(t *testing.T) {
	r, _ := fakeRig(t, 6)
	handoverTest(t, r)
}

func handoverTest(t *testing.T, r *rig) {
	const n = 30_000
	r.produce(0, n/2, 100)
	slow := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) { return rec.Value, nil })
	first := r.start(slow)
	second := r.start(slow)
	r.eventually("both have partitions", func() bool { return owned(first) == 3 && owned(second) == 3 })
	r.produce(n/2, n/4, 100)
	second.drain()
	third := r.start(slow)
	r.produce(n*3/4, n/4, 100)
	r.eventually("the third has partitions", func() bool { return owned(first) == 3 && owned(third) == 3 })
	r.awaitSettled(first, third)
	first.drain()
	third.drain()
	wantEach(t, r.values("out"), 0, n, false)
	r.wantCommitted("group")
}

func owned(w *running) (n int) {
	for _, m := range w.engine.Status().Members {
		for _, p := range m.Partitions {
			if p.State == "running" {
				n++
			}
		}
	}
	return n
}

func TestSeveralMembersInOneProcess(t *testing.T) {
	r, _ := fakeRig(t, 6)
	const n = 6000
	r.produce(0, n, 100)
	w := r.start(identity, func(c *config.Config) { c.Members = 3 })
	r.eventually("each member has two partitions", func() bool {
		for _, m := range w.engine.Status().Members {
			if len(m.Partitions) != 2 {
				return false
			}
		}
		return true
	})
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, false)
}

func TestOutcomesAreConfirmed(t *testing.T) {
	r, _ := fakeRig(t, 2)
	const n = 1000
	r.produce(0, n, 10)
	p := &observing{outcomes: map[worker.Position][]worker.Outcome{}}
	w := r.start(p)
	r.awaitSettled(w)
	w.drain()
	if len(p.outcomes) != n {
		t.Fatalf("outcomes of %d records, want %d", len(p.outcomes), n)
	}
	byPosition := map[worker.Position]string{}
	for _, topic := range []string{"out", "dlq"} {
		for _, rec := range r.cluster.ConsumeAll(topic, kgo.ReadCommitted()) {
			byPosition[worker.Position{Topic: topic, Partition: rec.Partition, Offset: rec.Offset}] = string(rec.Value)
		}
	}
	for input, outcomes := range p.outcomes {
		o := outcomes[0]
		if len(outcomes) != 1 {
			t.Errorf("%v has %d outcomes", input, len(outcomes))
		}
		v := p.values[input]
		want, outputs := worker.Delivered, 2
		switch v % 5 {
		case 1:
			want, outputs = worker.Filtered, 0
		case 2:
			want, outputs = worker.DeadLettered, 1
		case 3:
			want, outputs = worker.Filtered, 0 // by the sequencer
		}
		if o.Fate != want || len(o.Outputs) != outputs {
			t.Errorf("record %d: %s with outputs %v, want %s", v, o.Fate, o.Outputs, want)
		}
		for _, at := range o.Outputs {
			if byPosition[at] != strconv.Itoa(v) {
				t.Errorf("record %d: output at %v is %q", v, at, byPosition[at])
			}
		}
	}
}

type observing struct {
	mu       sync.Mutex
	outcomes map[worker.Position][]worker.Outcome
	values   map[worker.Position]int
	last     map[int32]int64
	failed   error
}

func (p *observing) Sequence(rec *worker.Record) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.values == nil {
		p.values, p.last = map[worker.Position]int{}, map[int32]int64{}
	}
	v, _ := strconv.Atoi(string(rec.Value))
	p.values[worker.Position{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset}] = v
	if last, ok := p.last[rec.Partition]; ok && rec.Offset != last+1 {
		p.failed = fmt.Errorf("offset %d came after %d", rec.Offset, last)
	}
	p.last[rec.Partition] = rec.Offset
	return v%5 != 3
}

func (p *observing) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	v, _ := strconv.Atoi(string(rec.Value))
	switch v % 5 {
	case 1:
		return nil
	case 2:
		return failure.Permanent(errPoison)
	}
	out.EmitValue(rec.Value)
	out.EmitValue(rec.Value)
	return nil
}

func (p *observing) Observe(o *worker.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	copied := *o
	copied.Outputs = append([]worker.Position(nil), o.Outputs...)
	p.outcomes[o.Input] = append(p.outcomes[o.Input], copied)
}

func TestMissingTopicsAreNamed(t *testing.T) {
	fake := kafkatest.Fake(t)
	for _, tc := range []struct{ missing, role string }{
		{"in", "input topic"}, {"out", "output topic"}, {"dlq", "dead-letter topic"},
	} {
		r := &rig{t: t, cluster: &fake.Cluster, cfg: testConfig(fake.Addrs())}
		err := r.start(identity).wait()
		if !errors.Is(err, kafka.ErrTopicNotFound) || !strings.Contains(err.Error(), tc.role) || !strings.Contains(err.Error(), tc.missing) {
			t.Errorf("without %q: %v", tc.missing, err)
		}
		fake.CreateTopic(tc.missing, 1, nil)
	}
}
