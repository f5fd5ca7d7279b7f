package fetch

import (
	"io"
	"net"
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// cannedBroker answers each request on a connection with the same bytes.
func cannedBroker(tb testing.TB, answer []byte) net.Conn {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	request := make([]byte, len(wireRequest(maxVersion).encode(nil)))
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for {
			if _, err := io.ReadFull(conn, request); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

// fetchOnce sends a request and decodes all of the answer.
func fetchOnce(tb testing.TB, conn net.Conn, pool *batch.Pool, b *batch.Batch) (records int) {
	req := wireRequest(maxVersion)
	req.pool = pool
	e := req.exchange()
	e.Required(map[protocol.ApiKey]int16{protocol.Fetch: maxVersion})
	msg, err := e.RawExchange(conn)
	if err != nil {
		tb.Fatal(err)
	}
	res := wire.Unwrap(msg).(*response)
	for i := range res.partitions {
		p := &res.partitions[i]
		found := batch.ScanHeaders(p.records.Bytes()[:p.size], 0)
		s := batch.NewSet(batch.Source{Topic: "orders", Pool: pool}, p.records.Bytes()[:found.Size], p.records)
		p.records = nil
		for !s.Done() {
			if err := s.Next(b, 512, 1<<20); err != nil {
				tb.Fatal(err)
			}
			records += len(b.Records)
		}
		b.Release()
		s.Release()
	}
	return records
}

// BenchmarkFetch is a whole fetch over a loopback connection: request, system
// calls, decoding. The broker's side of it is part of the measured CPU time, not
// of the code.
func BenchmarkFetch(b *testing.B) {
	data, _ := batchtest.BenchData("none", 500)
	conn := cannedBroker(b, wireResponse(maxVersion, data, data, data, data))
	pool := batch.NewPool(64 << 20)
	var batch batch.Batch
	records := fetchOnce(b, conn, pool, &batch)
	b.ReportAllocs()
	for b.Loop() {
		fetchOnce(b, conn, pool, &batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
}

func TestFetchingDoesNotAllocateForRecords(t *testing.T) {
	data, _ := batchtest.BenchData("none", 500)
	conn := cannedBroker(t, wireResponse(maxVersion, data, data, data, data))
	pool := batch.NewPool(64 << 20)
	var batch batch.Batch
	records := 0
	got := testing.AllocsPerRun(10, func() { records = fetchOnce(t, conn, pool, &batch) })
	if got > 40 {
		t.Errorf("%.0f allocations for an answer with %d records", got, records)
	}
}
