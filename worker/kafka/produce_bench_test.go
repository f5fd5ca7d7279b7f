package kafka

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/record"
)

// benchMessage is a record as it is met: a key of 16 bytes, a value of 100 and,
// if asked for, a header.
func benchMessage(header bool) *Message {
	m := &Message{Key: make([]byte, 16), Value: make([]byte, 100), Timestamp: 1_700_000_000_000}
	if header {
		m.Headers = []record.Header{{Key: "traceparent", Value: make([]byte, 55)}}
	}
	return m
}

func BenchmarkEncode(b *testing.B) {
	for name, header := range map[string]bool{"plain": false, "header": true} {
		b.Run(name, func(b *testing.B) {
			m := benchMessage(header)
			room := newBufferPool(1 << 20).get(1 << 20)
			batch := &builder{origins: make([]Origin, 0, 1<<14)}
			batch.start(room, len(room.data))
			b.SetBytes(int64(batch.measure(m).size()))
			b.ReportAllocs()
			for b.Loop() {
				shape := batch.measure(m)
				if batch.end+shape.size() > len(batch.data) {
					batch.origins = batch.origins[:0]
					batch.start(room, len(room.data))
				}
				batch.write(m, shape, Origin{Owner: m})
			}
		})
	}
}

// BenchmarkAppend is what a record costs from the pool's goroutines to its
// acknowledgement, by way of a connection to a broker that does nothing.
func BenchmarkAppend(b *testing.B) {
	const partitions = 12
	broker := newStandIn(b, "out", partitions)
	client, err := NewClient(ClientConfig{BootstrapServers: []string{broker.listener.Addr().String()}, ClientID: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var acked, acks atomic.Int64
	p := client.NewProducer(ProducerConfig{
		Linger:  5 * time.Millisecond,
		OnAck:   func(a *Ack) { acked.Add(int64(len(a.Origins))); acks.Add(1) },
		OnFatal: func(err error) { b.Error(err) },
	})
	defer p.Close()
	w, err := p.Topic(b.Context(), "out")
	if err != nil {
		b.Fatal(err)
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
			if err := w.Append(ctx, partition, m, Origin{Owner: m, Index: int32(i)}); err != nil {
				b.Fatal(err)
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
