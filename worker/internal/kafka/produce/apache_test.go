package produce

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// onTopic makes w write to its own topic: the tests share the broker.
func (w *writing) onTopic(name string) {
	w.t.Helper()
	var err error
	if w.w, err = w.p.Topic(writeContext(w.t), name, TopicOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.topic = name
}

func TestProducerAgainstApacheKafka(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("out", 1, nil)
	t.Run("fidelity", func(t *testing.T) { apacheFidelity(t) })
	t.Run("split", func(t *testing.T) { apacheSplit(t) })
	t.Run("large records", func(t *testing.T) { apacheLarge(t) })
	t.Run("future timestamps", func(t *testing.T) { apacheFuture(t) })
	t.Run("compacted topic", func(t *testing.T) { apacheNoKey(t) })
	t.Run("sequences wrap", func(t *testing.T) { apacheWrap(t) })
	t.Run("sequence gap", func(t *testing.T) { apacheGap(t) })
}

func apacheFidelity(t *testing.T) {
	b := kafkatest.Shared(t)
	// Where its codec differs, the broker decompresses the batches and compresses them
	// again, so Java's code reads them too.
	for i, codec := range []config.Compression{config.None, config.Gzip, config.Snappy, config.LZ4, config.Zstd} {
		for _, recompress := range []string{"producer", "gzip"} {
			t.Run(fmt.Sprintf("%s-%s", codec, recompress), func(t *testing.T) {
				name := fmt.Sprintf("produce-fidelity-%d-%s", i, recompress)
				b.CreateTopic(name, 1, map[string]string{
					"compression.type": recompress, "message.timestamp.after.max.ms": fmt.Sprint(int64(math.MaxInt64)),
				})
				w := newWriting(t, b.Addrs(), Config{Compression: codec, Linger: 10 * time.Millisecond})
				w.onTopic(name)
				messages := batchtest.ManyMessages[batch.Message]()[:5]
				messages = append(messages, batchtest.ManyMessages[batch.Message]()[6:]...)
				noise := make([]byte, 900_000)
				for k := range noise {
					noise[k] = byte(rand.Uint32())
				}
				messages = append(messages, batch.Message{Value: noise, Timestamp: 1}, batch.Message{Value: bytes.Repeat([]byte("v"), 900_000), Timestamp: 2})
				for k := range messages {
					if err := w.w.Append(t.Context(), At(0), &messages[k], batch.Origin{Owner: w, Index: w.number()}); err != nil {
						t.Fatal(err)
					}
				}
				w.flush()
				w.expectClean()
				got := b.ConsumeAll(name, kgo.ReadUncommitted())
				if len(got) != len(messages) {
					t.Fatalf("%d records, want %d", len(got), len(messages))
				}
				for k, rec := range got {
					seen := kmsg.Record{OffsetDelta: int32(k), TimestampDelta64: rec.Timestamp.UnixMilli(), Key: rec.Key, Value: rec.Value}
					for _, h := range rec.Headers {
						seen.Headers = append(seen.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
					}
					if err := batchtest.SameMessage(&messages[k], 0, k, seen); err != nil {
						t.Errorf("record %d: %v", k, err)
					}
					if at := w.acks[int32(k)]; at.offset != rec.Offset {
						t.Errorf("record %d is at %d, acknowledged at %d", k, rec.Offset, at.offset)
					}
				}
			})
		}
	}
}

func apacheSplit(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-split", 1, map[string]string{"max.message.bytes": "20000"})
	w := newWriting(t, b.Addrs(), Config{Linger: time.Hour})
	w.onTopic("produce-split")
	large := map[int32]bool{}
	for i := range 400 {
		if i%100 == 30 {
			large[w.write(0, 30_000)] = true
		}
		w.write(0, 500)
	}
	w.check(&b.Cluster)
	for n := range large {
		testkit.ExpectError(t, w.errs[n], ErrTooLarge, "max.message.bytes")
	}
	if len(w.errs) != len(large) || len(w.fatal) > 0 {
		t.Errorf("%d records were refused, want %d; fatal: %v", len(w.errs), len(large), w.fatal)
	}
}

// Which record is too large is for the topic to say.
func apacheLarge(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-large", 1, map[string]string{"max.message.bytes": "5000000"})
	w := newWriting(t, b.Addrs(), Config{Linger: time.Hour})
	w.onTopic("produce-large")
	w.write(0, 10)
	w.write(0, 3_000_000)
	large := w.write(0, 6_000_000)
	w.write(0, 10)
	w.check(&b.Cluster)
	testkit.ExpectError(t, w.errs[large], ErrTooLarge, "max.message.bytes")
	if len(w.errs) != 1 || len(w.fatal) > 0 {
		t.Errorf("%d records were refused, want 1; fatal: %v", len(w.errs), w.fatal)
	}
}

func apacheFuture(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-future", 1, nil)
	for _, codec := range []config.Compression{config.None, config.Zstd} {
		w := newWriting(t, b.Addrs(), Config{Linger: time.Hour, Compression: codec})
		w.onTopic("produce-future")
		future := map[int32]bool{}
		before := b.EndOffsets("produce-future", kgo.ReadUncommitted())[0]
		for i := range 50 {
			n := w.number()
			m := &batch.Message{Value: fmt.Appendf(nil, "%d/", n), Timestamp: time.Now().UnixMilli()}
			if i%7 == 0 {
				m.Timestamp += (25 * time.Hour).Milliseconds()
				future[n] = true
			}
			if err := w.w.Append(t.Context(), At(0), m, batch.Origin{Owner: w, Index: n}); err != nil {
				t.Fatal(err)
			}
		}
		w.flush()
		for n := range w.next {
			if future[n] {
				testkit.ExpectError(t, w.errs[n], nil, "refuses the record", "Timestamp")
			} else if w.errs[n] != nil {
				t.Errorf("record %d was refused: %v", n, w.errs[n])
			}
		}
		if after := b.EndOffsets("produce-future", kgo.ReadUncommitted())[0]; after-before != int64(50-len(future)) {
			t.Errorf("%d records were stored, want %d", after-before, 50-len(future))
		}
	}
}

// A compacted topic takes no record without a key.
func apacheNoKey(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-compacted", 1, map[string]string{"cleanup.policy": "compact"})
	w := newWriting(t, b.Addrs(), Config{Linger: time.Hour})
	w.onTopic("produce-compacted")
	for i := range int32(20) {
		m := &batch.Message{Key: []byte{byte(i)}, Value: fmt.Appendf(nil, "%d/", i), Timestamp: 1}
		if i%5 == 0 {
			m.Key = nil
		}
		if err := w.w.Append(t.Context(), At(0), m, batch.Origin{Owner: w, Index: w.number()}); err != nil {
			t.Fatal(err)
		}
	}
	w.check(&b.Cluster)
	if len(w.errs) != 4 {
		t.Errorf("refused: %v", w.errs)
	}
	for n := int32(0); n < 20; n += 5 {
		testkit.ExpectError(t, w.errs[n], nil, "refuses the record", "key")
	}
}

// A batch may go across the largest sequence number, and the next goes on where
// the broker expects it.
func apacheWrap(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-wrap", 1, nil)
	b.Produce(&kgo.Record{Topic: "produce-wrap", Value: []byte("0/")})
	w := newWriting(t, b.Addrs(), Config{Linger: time.Hour})
	w.onTopic("produce-wrap")
	w.next = 1
	w.acks[0] = placed{0, 0}
	identity, err := w.p.ids.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := w.w.layout.Load().queues[0]
	q.producer, q.sequence = identity, math.MaxInt32-5
	for range 10 {
		for range 3 {
			w.write(0, 10)
		}
		w.flush()
	}
	w.check(&b.Cluster)
	w.expectClean()
	if n := w.log.Count("will be retried"); n > 0 || q.producer != identity {
		t.Errorf("%d lines about retries; the identity is %+v after %+v", n, q.producer, identity)
	}
}

// The broker's own answer to a sequence that it does not expect.
func apacheGap(t *testing.T) {
	b := kafkatest.Shared(t)
	b.CreateTopic("produce-gap", 1, nil)
	w := newWriting(t, b.Addrs(), Config{Linger: time.Hour})
	w.onTopic("produce-gap")
	w.write(0, 10)
	w.flush()
	q := w.w.layout.Load().queues[0]
	q.sequence += 100
	for range 10 {
		w.write(0, 10)
	}
	w.check(&b.Cluster)
	w.expectClean()
	if n := w.log.Count("Out Of Order Sequence"); n != 1 {
		t.Errorf("%d lines about it", n)
	}
}

func TestBrokerThatIsKilledUnderLoad(t *testing.T) {
	b := kafkatest.Apache(t)
	b.CreateTopic("out", 4, nil)
	w := newWriting(t, b.Addrs(), Config{MaxBatchBytes: 20_000, MaxBufferedBytes: 1 << 20, Linger: time.Millisecond})
	const appenders = 4
	w.appenders = appenders
	stop := make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	written := int32(0)
	for a := range int32(appenders) {
		dice := rand.New(rand.NewPCG(1, uint64(a)))
		all.Go(func() {
			for i := int32(0); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				w.writeAs(a+i*appenders, dice.Int32N(4), 200)
				mu.Lock()
				written++
				mu.Unlock()
			}
		})
	}
	more := func() {
		from := w.settled()
		testkit.Await(t, "records are acknowledged", func() bool { return w.settled() > from+5000 })
	}
	more()
	b.Kill()
	b.Start()
	more()
	b.Restart()
	more()
	close(stop)
	all.Wait()
	w.next = written
	w.check(&b.Cluster)
	w.expectClean()
}

func TestProducerWithoutAuthorisation(t *testing.T) {
	alice := kafkatest.User{Mechanism: "PLAIN", Name: "alice", Password: "secret"}
	allow := func(topic string, operation kmsg.ACLOperation) kafkatest.ACL {
		return kafkatest.ACL{User: "alice", Resource: kmsg.ACLResourceTypeTopic, Name: topic, Operation: operation}
	}
	b := kafkatest.Apache(t, kafkatest.Users(alice), kafkatest.ACLs(
		allow("out", kmsg.ACLOperationDescribe), allow("other", kmsg.ACLOperationWrite),
	))
	b.CreateTopic("out", 1, nil)
	b.CreateTopic("other", 1, nil)
	c := newTestClient(t, kafka.ClientConfig{BootstrapServers: b.SecureAddrs(), SASL: &kafka.SASL{Mechanism: alice.Mechanism, Username: alice.Name, Password: alice.Password}})
	fatal, acked := make(chan error, 10), make(chan string, 10)
	p := New(c, Config{OnAck: func(a *Ack) { acked <- a.Topic }, OnFatal: func(err error) { fatal <- err }})
	defer p.Close()
	for _, topic := range []string{"out", "other"} {
		w, err := p.Topic(testkit.Context(t), topic, TopicOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(testkit.Context(t), At(0), &batch.Message{Timestamp: -1}, batch.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	testkit.ExpectError(t, <-fatal, kafka.ErrNotAuthorized, `topic "out"`, "operation Write")
	if topic := <-acked; topic != "other" {
		t.Errorf("topic %q is acknowledged", topic)
	}
}
