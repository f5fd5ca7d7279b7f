package produce

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// writing is a Producer under test. Its records are numbered: the number is the
// value's beginning and the origin's index.
type writing struct {
	t      testing.TB
	client *kafka.Client
	p      *Producer
	w      *TopicWriter
	topic  string
	log    *testkit.Log

	// appenders is how many goroutines append; the numbers of each are those
	// that leave its own remainder.
	appenders int32
	// loose is how many of them, the first ones, write records that may go anywhere:
	// these have no order.
	loose int32

	mu    sync.Mutex
	next  int32 // how many records there are
	acks  map[int32]placed
	errs  map[int32]error
	fatal []error
	onAck func(*Ack) // before it is noted
}

type placed struct {
	partition int32
	offset    int64
}

// newWriting returns a Producer for the topic "out".
func newWriting(t testing.TB, addrs []string, cfg Config) *writing {
	t.Helper()
	return newWritingTo(t, "out", addrs, cfg)
}

func newWritingTo(t testing.TB, topic string, addrs []string, cfg Config) *writing {
	t.Helper()
	w := &writing{t: t, topic: topic, appenders: 1, log: &testkit.Log{}, acks: map[int32]placed{}, errs: map[int32]error{}}
	var err error
	w.client, err = kafka.NewClient(kafka.ClientConfig{BootstrapServers: addrs, ClientID: "test", Topics: []string{topic}, Logger: w.log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	cfg.OnAck, cfg.OnFatal, cfg.Logger = w.acked, w.failed, w.log.Logger()
	w.p = New(w.client, cfg)
	t.Cleanup(func() {
		w.p.Close()
		w.client.Close()
		if t.Failed() {
			t.Logf("logged at last: %s", strings.Join(w.log.Lines()[max(0, len(w.log.Lines())-40):], "\n"))
		}
	})
	if w.w, err = w.p.Topic(writeContext(t), topic, TopicOptions{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func writeContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*testkit.Patience)
	t.Cleanup(cancel)
	return ctx
}

func (w *writing) acked(a *Ack) {
	if w.onAck != nil {
		w.onAck(a)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, o := range a.Origins {
		if o.Owner != w {
			w.t.Errorf("an origin's owner is %v", o.Owner)
		}
		_, twice := w.acks[o.Index]
		if _, failed := w.errs[o.Index]; twice || failed {
			w.t.Errorf("record %d is acknowledged twice", o.Index)
		}
		switch {
		case a.Err != nil:
			w.errs[o.Index] = a.Err
		case a.BaseOffset < 0:
			w.acks[o.Index] = placed{a.Partition, -1}
		default:
			w.acks[o.Index] = placed{a.Partition, a.BaseOffset + int64(i)}
		}
	}
}

func (w *writing) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fatal = append(w.fatal, err)
}

func (w *writing) settled() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acks) + len(w.errs)
}

func (w *writing) fatalErrors() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.fatal)
}

func (w *writing) number() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return w.next - 1
}

// write appends the next record, with size bytes behind its number, and returns
// the number.
func (w *writing) write(partition int32, size int) int32 {
	w.t.Helper()
	n := w.number()
	w.writeAs(n, partition, size)
	return n
}

// writeAs is write with a number that the caller chose.
func (w *writing) writeAs(n, partition int32, size int) {
	w.t.Helper()
	w.writeTo(At(uint32(partition)), n, size)
}

func (w *writing) writeTo(to Placement, n int32, size int) {
	w.t.Helper()
	m := &batch.Message{
		Value: fmt.Appendf(nil, "%d/%s", n, strings.Repeat("x", size)),
		// A broker that restarts goes by the records' timestamps when it
		// decides which producers are too old to be remembered.
		Timestamp: time.Now().UnixMilli(),
	}
	if err := w.w.Append(context.Background(), to, m, batch.Origin{Owner: w, Index: n}); err != nil {
		w.t.Errorf("append record %d: %v", n, err)
	}
}

func (w *writing) flush() {
	w.t.Helper()
	if err := w.p.Flush(writeContext(w.t)); err != nil {
		w.t.Fatalf("flush: %v", err)
	}
}

// check flushes, and expects the log to hold each record that was appended and
// not refused exactly once, where its ack said, and those of one appender and
// partition in order.
func (w *writing) check(c *kafkatest.Cluster) {
	w.t.Helper()
	w.flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := len(w.acks) + len(w.errs); got != int(w.next) {
		w.t.Errorf("%d acks for %d records", got, w.next)
	}
	type order struct{ partition, appender int32 }
	last := map[order]int32{}
	seen := map[int32]bool{}
	for _, rec := range c.ConsumeAll(w.topic, kgo.ReadUncommitted()) {
		text, _, _ := strings.Cut(string(rec.Value), "/")
		parsed, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			w.t.Fatalf("offset %d holds %q", rec.Offset, rec.Value)
		}
		n := int32(parsed)
		at, ok := w.acks[n]
		switch {
		case seen[n]:
			w.t.Errorf("record %d is in the log twice", n)
		case !ok:
			w.t.Errorf("record %d is in the log, and not acknowledged", n)
		case at.partition != rec.Partition || at.offset >= 0 && at.offset != rec.Offset:
			w.t.Errorf("record %d is at %d/%d, acknowledged as %+v", n, rec.Partition, rec.Offset, at)
		}
		row := order{rec.Partition, n % w.appenders}
		if before, ok := last[row]; ok && before >= n && row.appender >= w.loose {
			w.t.Errorf("partition %d: record %d comes after %d", rec.Partition, n, before)
		}
		seen[n], last[row] = true, n
	}
	if len(seen) != len(w.acks) {
		w.t.Errorf("%d records in the log, %d acknowledged", len(seen), len(w.acks))
	}
	if records, bytes := w.p.Buffered(); records != 0 || bytes != 0 {
		w.t.Errorf("%d records of %d bytes are left", records, bytes)
	}
}

// expectClean expects that nothing was refused and nothing was fatal.
func (w *writing) expectClean() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errs) > 0 || len(w.fatal) > 0 {
		w.t.Errorf("%d records were refused: %v; fatal: %v", len(w.errs), w.errs, w.fatal)
	}
}

// produceGoroutines returns the stacks of goroutines that have to do with
// producing.
func produceGoroutines() []string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var out []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		for _, name := range []string{"produce.(*Producer)", "produce.(*sender)", "produce.(*request)", "produce.(*router)", "produce.(*topicDirectory)"} {
			if strings.Contains(stack, name) && !strings.Contains(stack, "testing.tRunner") {
				out = append(out, stack)
				break
			}
		}
	}
	return out
}
