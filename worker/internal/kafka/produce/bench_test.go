package produce

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// benchMessage is a record as it is met: a key of 16 bytes, a value of 100 and,
// if asked for, a header.
func benchMessage(header bool) *batch.Message {
	m := &batch.Message{Key: make([]byte, 16), Value: make([]byte, 100), Timestamp: 1_700_000_000_000}
	if header {
		m.Headers = []record.Header{{Key: "traceparent", Value: make([]byte, 55)}}
	}
	return m
}

func BenchmarkEncode(b *testing.B) {
	for name, header := range map[string]bool{"plain": false, "header": true} {
		b.Run(name, func(b *testing.B) {
			m := benchMessage(header)
			room := batch.NewPool(1 << 20).Get(1 << 20)
			open := &batch.Builder{}
			open.Start(room, len(room.Bytes()))
			b.SetBytes(int64(open.Measure(m).Size()))
			b.ReportAllocs()
			for b.Loop() {
				shape := open.Measure(m)
				if open.Size()+shape.Size() > open.Room() {
					open.Start(room, len(room.Bytes()))
				}
				open.Append(m, shape, batch.Origin{Owner: m})
			}
		})
	}
}

// emptyBroker returns a Producer, and the writer of a topic that a standIn leads.
func emptyBroker(tb testing.TB, partitions int32, cfg Config) (*Producer, *TopicWriter) {
	tb.Helper()
	broker := newStandIn(tb, "out", partitions)
	client, err := kafka.NewClient(kafka.ClientConfig{BootstrapServers: []string{broker.listener.Addr().String()}, ClientID: "bench"})
	if err != nil {
		tb.Fatal(err)
	}
	cfg.OnFatal = func(err error) { tb.Error(err) }
	p := New(client, cfg)
	tb.Cleanup(func() {
		p.Close()
		client.Close()
	})
	w, err := p.Topic(tb.Context(), "out", TopicOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return p, w
}

// BenchmarkAppend is what a record costs from the pool's goroutines to its
// acknowledgement, by way of a connection to a broker that does nothing.
func BenchmarkAppend(b *testing.B) {
	for _, codec := range []config.Compression{config.None, config.LZ4, config.Zstd} {
		b.Run(string(codec), func(b *testing.B) { benchmarkAppend(b, codec, false) })
	}
	b.Run("in transactions", func(b *testing.B) { benchmarkAppend(b, config.None, true) })
}

// benchmarkAppend ends transactions every 100 ms.
func benchmarkAppend(b *testing.B, codec config.Compression, transactional bool) {
	b.Helper()
	const partitions = 12
	var acked, acks atomic.Int64
	p, w := emptyBroker(b, partitions, Config{
		Linger: 5 * time.Millisecond, Compression: codec, Transactional: transactional,
		OnAck: func(a *Ack) { acked.Add(int64(len(a.Origins))); acks.Add(1) },
	})
	if transactional {
		defer newTurns(p).every(b, 100*time.Millisecond)()
	}
	var goroutines atomic.Int32
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		m, ctx, partition := benchMessage(false), b.Context(), goroutines.Add(1)
		for i := 0; pb.Next(); i++ {
			if i%64 == 0 {
				partition = (partition + 1) % partitions
			}
			if err := w.Append(ctx, At(uint32(partition)), m, batch.Origin{Owner: m, Index: int32(i)}); err != nil {
				b.Error(err)
			}
		}
	})
	if err := p.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if n := acked.Load(); n != int64(b.N) {
		b.Fatalf("%d records are acknowledged, not %d", n, b.N)
	}
	b.ReportMetric(float64(acked.Load())/float64(acks.Load()), "records/batch")
}

func TestProducingDoesNotAllocateForRecords(t *testing.T) {
	for name, transactional := range map[string]bool{"plain": false, "in transactions": true} {
		t.Run(name, func(t *testing.T) { producesWithoutAllocating(t, transactional) })
	}
}

func producesWithoutAllocating(t *testing.T, transactional bool) {
	t.Helper()
	const partitions, records = 4, 100_000
	p, w := emptyBroker(t, partitions, Config{OnAck: func(*Ack) {}, Transactional: transactional})
	end := p.Flush
	if transactional {
		transact := newTurns(p)
		end = transact.turn
	}
	m := benchMessage(true)
	got := testing.AllocsPerRun(5, func() {
		for i := range int32(records) {
			if err := w.Append(t.Context(), At(uint32(i%partitions)), m, batch.Origin{Owner: m, Index: i}); err != nil {
				t.Fatal(err)
			}
		}
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	// What there is belongs to requests: some dozens for each, of both sides.
	if got > records/100 {
		t.Errorf("%.0f allocations for %d records", got, records)
	}
	t.Logf("%.0f allocations for %d records", got, records)
}

// turns ends transactions that no coordinator knows.
type turns struct {
	p     *Producer
	epoch int16
}

func newTurns(p *Producer) *turns {
	p.Resume(heldTransaction{batch.Identity{ID: 1}})
	return &turns{p: p}
}

// turn ends the present transaction and begins the next one.
func (s *turns) turn(ctx context.Context) error {
	s.p.Cut()
	if err := s.p.FlushCut(ctx); err != nil {
		return err
	}
	s.epoch++
	s.p.Resume(heldTransaction{batch.Identity{ID: 1, Epoch: s.epoch}})
	return nil
}

// every ends transactions until the caller stops it.
func (s *turns) every(tb testing.TB, interval time.Duration) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for backoff.Sleep(ctx, interval) == nil {
			if err := s.turn(ctx); err != nil && ctx.Err() == nil {
				tb.Error(err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
