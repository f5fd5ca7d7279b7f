package produce

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestProducerWritesToAllLeaders(t *testing.T) {
	for _, codec := range []config.Compression{config.None, config.Gzip, config.Snappy, config.LZ4, config.Zstd} {
		t.Run(string(codec), func(t *testing.T) {
			fake := kafkatest.Fake(t, kfake.NumBrokers(3))
			fake.CreateTopic("out", 6, nil)
			w := newWriting(t, fake.Addrs(), Config{Compression: codec, MaxBatchBytes: 10_000, Linger: time.Millisecond})
			for i := range int32(6000) {
				w.write(i%6, int(i%200))
			}
			w.check(&fake.Cluster)
			w.expectClean()
		})
	}
}

func TestWhatIsAppendedIsWhatIsStored(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
	// franz-go's time does not reach as far as Kafka's.
	messages := slices.DeleteFunc(batchtest.ManyMessages[batch.Message](), func(m batch.Message) bool { return m.Timestamp == math.MaxInt64 })
	for i := range messages {
		m := messages[i]
		if err := w.w.Append(t.Context(), At(0), &m, batch.Origin{Owner: w, Index: int32(i)}); err != nil {
			t.Fatal(err)
		}
		// It was copied: the caller's bytes may change.
		if len(m.Key) > 100 {
			m.Key[50]++
			messages[i].Key = make([]byte, len(m.Key))
		}
	}
	w.flush()
	got := fake.ConsumeAll("out", kgo.ReadUncommitted())
	if len(got) != len(messages) {
		t.Fatalf("%d records, want %d", len(got), len(messages))
	}
	for i, rec := range got {
		seen := kmsg.Record{OffsetDelta: int32(i), TimestampDelta64: rec.Timestamp.UnixMilli(), Key: rec.Key, Value: rec.Value}
		for _, h := range rec.Headers {
			seen.Headers = append(seen.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		if err := batchtest.SameMessage(&messages[i], 0, i, seen); err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}

func TestAppendRefusesWhatKafkaCantStore(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 1000})
	for name, c := range map[string]struct {
		m    batch.Message
		want string
	}{
		"too large": {batch.Message{Value: make([]byte, maxRecordBytes)}, "record too large"},
	} {
		if err := w.w.Append(t.Context(), At(0), &c.m, batch.Origin{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if records, _ := w.p.Buffered(); records != 0 {
		t.Errorf("%d records are queued", records)
	}
}

func TestTopicThatDoesNotExist(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
	if _, err := w.p.Topic(t.Context(), "missing", TopicOptions{}); !errors.Is(err, kafka.ErrTopicNotFound) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
	again, err := w.p.Topic(t.Context(), "out", TopicOptions{})
	if again != w.w || err != nil {
		t.Errorf("a second call gives another writer: %v", err)
	}
}

func TestLittleIsSentAfterTheLinger(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	requests := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Count: -1, Observe: true})
	const linger = 200 * time.Millisecond
	w := newWriting(t, fake.Addrs(), Config{Linger: linger})
	w.write(0, 10) // finds the leader, which takes its time
	w.flush()
	first := requests.Hits()

	started := time.Now()
	for range 10 {
		w.write(0, 10)
	}
	w.write(1, 10)
	testkit.Await(t, "the records are acknowledged", func() bool { return w.settled() == 12 })
	if passed := time.Since(started); passed < linger {
		t.Errorf("sent after %v, before the linger of %v", passed, linger)
	}
	// Both partitions come together, though the second was a little younger
	// (its leader was looked up, so it may have come by itself).
	if n := requests.Hits() - first; n > 2 {
		t.Errorf("%d requests for records that came together", n)
	}
	w.check(&fake.Cluster)
}

func TestWhatIsWorthARequestDoesNotLinger(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
	w.write(0, worthSending)
	testkit.Await(t, "the first is acknowledged", func() bool { return w.settled() == 1 })
	for range 8 {
		w.write(0, worthSending/8)
	}
	testkit.Await(t, "the next is acknowledged", func() bool { return w.settled() >= 9 })
	w.check(&fake.Cluster)
}

func TestRecordsGatherWhileARequestIsInFlight(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	var mu sync.Mutex
	var sizes []int32
	release := make(chan struct{})
	fake.Faults.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(req.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records); err != nil {
			t.Error(err)
		}
		mu.Lock()
		sizes = append(sizes, batch.NumRecords)
		n := len(sizes)
		mu.Unlock()
		if n == 1 {
			fake.Faults.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	w := newWriting(t, fake.Addrs(), Config{})
	seen := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(sizes)
	}
	w.write(0, 10)
	testkit.Await(t, "the first request is in flight", func() bool { return seen() == 1 })
	for range 500 {
		w.write(0, 10)
	}
	close(release)
	w.check(&fake.Cluster)
	if n := seen(); n != 2 || sizes[1] != 500 {
		t.Errorf("requests with %v records, want 1 and 500", sizes)
	}
}

func TestAppendWaitsForMemory(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 4, nil)
	release := make(chan struct{})
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		fake.Faults.SleepControl(func() { <-release })
		return nil, nil, false
	})
	const limit = 256 << 10
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 60_000, MaxBufferedBytes: limit, Linger: time.Hour})
	var appenders sync.WaitGroup
	for p := range int32(4) {
		appenders.Go(func() {
			for range 400 {
				w.write(p, 1000)
			}
		})
	}
	testkit.Await(t, "all wait for memory", func() bool { return w.p.memory.blocked.Load() == 4 })
	if _, bytes := w.p.Buffered(); bytes > limit {
		t.Errorf("%d bytes are buffered where %d are allowed", bytes, limit)
	}
	if used := w.p.memory.used.Load(); used > limit {
		t.Errorf("%d bytes are used where %d are allowed", used, limit)
	}

	// A waiting call can give up.
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { gaveUp <- w.w.Append(ctx, At(0), &batch.Message{Value: make([]byte, 50_000)}, batch.Origin{}) }()
	testkit.Await(t, "one more waits", func() bool { return w.p.memory.blocked.Load() == 5 })
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}

	close(release)
	appenders.Wait()
	w.flush()
	if n := w.settled(); n != 1600 {
		t.Errorf("%d records are acknowledged", n)
	}
	testkit.Await(t, "the whole budget is free", func() bool { return w.p.memory.used.Load() == 0 })
}

// A record that is larger than batches are, or than the whole budget, takes all
// of it and goes alone.
func TestLargeRecordsGoAlone(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	const budget = 64 << 10
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 10_000, MaxBufferedBytes: budget, Linger: time.Millisecond})
	for i := range int32(100) {
		w.write(i%2, 1000)
		if i%10 == 0 {
			w.write(i/10%2, 20_000)
			w.write(i/10%2, 3*budget)
		}
	}
	w.check(&fake.Cluster)
	w.expectClean()
	testkit.Await(t, "the whole budget is free", func() bool { return w.p.memory.used.Load() == 0 })
}

func TestNothingLingersWhileMemoryIsUsedUp(t *testing.T) {
	const partitions = 8
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", partitions, nil)
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 4 << 10, MaxBufferedBytes: 4 * 4 << 10, Linger: time.Hour})
	for range 5 {
		for p := range int32(partitions) {
			w.write(p, 3000) // each needs a whole batch's memory, whatever the batch before had
		}
		// Batches give their memory back a moment before their records count as settled.
		testkit.Await(t, "no more batches are kept than there is memory for", func() bool {
			records, _ := w.p.Buffered()
			return records <= 4
		})
	}
	w.check(&fake.Cluster)
}

func TestFlushWaitsForWhatCameBefore(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
	w.flush() // nothing to wait for
	for i := range int32(100) {
		w.write(i%2, 10)
	}
	w.flush()
	if n := w.settled(); n != 100 {
		t.Errorf("%d records are acknowledged after the flush", n)
	}

	fake.Faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		return nil, errors.New("closed by the test"), true
	})
	w.write(1, 10)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.p.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 partitions") {
		t.Errorf("got %v", err)
	}
}

func TestCloseDropsWhatIsLeftAndLeavesNothingBehind(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 4, nil)
	requests := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Count: -1, Observe: true})
	hold := make(chan struct{})
	defer close(hold)
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		fake.Faults.SleepControl(func() { <-hold })
		return nil, nil, false
	})
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 10_000, MaxBufferedBytes: 64 << 10})
	var appenders sync.WaitGroup
	ended := make(chan error, 4)
	for p := range int32(4) {
		appenders.Go(func() {
			for {
				err := w.w.Append(context.Background(), At(uint32(p)), &batch.Message{Value: make([]byte, 500)}, batch.Origin{Owner: w, Index: w.number()})
				if err != nil {
					ended <- err
					return
				}
			}
		})
	}
	testkit.Await(t, "all wait for memory", func() bool { return w.p.memory.blocked.Load() == 4 })
	flushed := make(chan error)
	go func() { flushed <- w.p.Flush(context.Background()) }()
	testkit.Await(t, "the flush waits", func() bool { return w.p.flusher.waiting.Load() == 1 })
	w.p.Close()
	for _, stack := range produceGoroutines() {
		if strings.Contains(stack, "produce.(*sender)") {
			t.Errorf("a sender is left after Close:\n%s", stack)
		}
	}
	appenders.Wait()
	for range 4 {
		if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("append ended with %v", err)
		}
	}
	if err := <-flushed; !errors.Is(err, context.Canceled) {
		t.Errorf("flush ended with %v", err)
	}
	testkit.Await(t, "no goroutine is left", func() bool { return len(produceGoroutines()) == 0 })
	if n := w.settled(); n != 0 {
		t.Errorf("%d records are acknowledged, and %d requests were answered", n, requests.Hits())
	}
	if used := w.p.memory.used.Load(); used != 0 {
		t.Errorf("%d bytes of the budget are in use", used)
	}
	if err := w.w.Append(t.Context(), At(0), &batch.Message{}, batch.Origin{}); !errors.Is(err, context.Canceled) {
		t.Errorf("append after close: %v", err)
	}
	if _, err := w.p.Topic(t.Context(), "other", TopicOptions{}); err == nil {
		t.Error("a topic after close")
	}
	w.p.Close()
}

func TestSeveralTopicsShareARequest(t *testing.T) {
	fake := kafkatest.Fake(t)
	for _, name := range []string{"out", "dlq", "third"} {
		fake.CreateTopic(name, 3, nil)
	}
	w := newWriting(t, fake.Addrs(), Config{})
	for _, name := range []string{"dlq", "out", "third"} {
		writer, err := w.p.Topic(t.Context(), name, TopicOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range int32(300) {
			m := &batch.Message{Value: fmt.Append(nil, name, i), Headers: []record.Header{{Key: "h", Value: []byte(name)}}, Timestamp: 1}
			if err := writer.Append(t.Context(), At(uint32(i%3)), m, batch.Origin{Owner: w, Index: w.number()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.flush()
	for _, name := range []string{"out", "dlq", "third"} {
		got := fake.ConsumeAll(name, kgo.ReadUncommitted())
		if len(got) != 300 {
			t.Errorf("topic %s has %d records", name, len(got))
		}
		for _, rec := range got {
			if !strings.HasPrefix(string(rec.Value), name) {
				t.Fatalf("topic %s holds %q", name, rec.Value)
			}
		}
	}
	w.expectClean()
}

func TestManySmallBatchesAreWorthARequest(t *testing.T) {
	const partitions = 16
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", partitions, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
	for p := range int32(partitions) {
		w.write(p, 10)
	}
	w.flush() // all leaders are known
	for range 20 {
		for p := range int32(partitions) {
			w.write(p, 1000)
		}
	}
	// Each has 20 of the 64 KiB that would be enough by themselves.
	testkit.Await(t, "most are acknowledged", func() bool { return w.settled() >= partitions*17 })
	w.check(&fake.Cluster)
}
