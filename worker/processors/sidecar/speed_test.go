package sidecar_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

const batchSize = 1000

// quick is a process that costs next to nothing: it has its answer to a batch of batchSize
// records ready, but for the id.
type quick struct {
	conn   *protocoltest.Peer
	answer []byte // the fields of Results after the batch's id
	out    []byte
}

func connectQuick(tb testing.TB, socket string) *quick {
	tb.Helper()
	conn, err := protocoltest.Connect(socket, &protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, MaxRecords: batchSize, BatchCredit: 1})
	if err != nil {
		tb.Fatal(err)
	}
	results := &protocoltest.Results{}
	for i := range batchSize {
		results.Results = append(results.Results, protocoltest.Result{Index: uint32(i), Outputs: []protocoltest.Output{{SameKey: true, SameHeaders: true, Value: bytes.Repeat([]byte("y"), 92)}}})
	}
	b, err := protocoltest.EncodeFrame(&protocoltest.ProcessFrame{Results: results})
	if err != nil {
		tb.Fatal(err)
	}
	_, _, n := protowire.ConsumeTag(b[4:])
	body, _ := protowire.ConsumeBytes(b[4+n:])
	q := &quick{conn: conn, answer: body}
	go q.serve()
	tb.Cleanup(func() { _ = conn.Close() })
	return q
}

func (q *quick) serve() {
	r := bufio.NewReaderSize(q.conn.Conn, 1<<20)
	var prefix [4]byte
	message := make([]byte, 1<<20)
	for {
		if _, err := io.ReadFull(r, prefix[:]); err != nil {
			return
		}
		m := message[:binary.BigEndian.Uint32(prefix[:])]
		if _, err := io.ReadFull(r, m); err != nil {
			return
		}
		if num, _, n := protowire.ConsumeTag(m); num == 2 {
			body, _ := protowire.ConsumeBytes(m[n:])
			id, _ := protowire.ConsumeVarint(body[1:])
			if err := q.conn.SendBytes(q.results(id)); err != nil {
				return
			}
		}
	}
}

// results returns a Results frame, and a BatchCredit.
func (q *quick) results(id uint64) []byte {
	size := 1 + protowire.SizeVarint(id) + len(q.answer)
	b := append(q.out[:0], 0, 0, 0, 0, 2<<3|2)
	b = protowire.AppendVarint(b, uint64(size))
	b = protowire.AppendVarint(append(b, 1<<3), id)
	b = append(b, q.answer...)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	q.out = append(b, 0, 0, 0, 4, 3<<3|2, 2, 1<<3, 1)
	return q.out
}

// bulk is a Processor with a quick process, and a call's arguments.
type bulk struct {
	p    *sidecar.Processor
	recs []*worker.Record
	outs []*worker.Outputs
}

func newBulk(tb testing.TB) *bulk {
	tb.Helper()
	socket := filepath.Join(tb.TempDir(), "s")
	p, err := sidecar.Listen(sidecar.Options{Socket: socket, Log: logr.Discard()})
	if err != nil {
		tb.Fatal(err)
	}
	q := connectQuick(tb, socket)
	tb.Cleanup(func() {
		_ = q.conn.Close()
		_ = p.Close()
	})
	b := &bulk{p: p}
	for i := range batchSize {
		b.recs = append(b.recs, &worker.Record{Topic: "in", Offset: int64(i), Timestamp: time.Now(), Key: []byte("key-0042"), Value: bytes.Repeat([]byte("x"), 92)})
		b.outs = append(b.outs, &worker.Outputs{})
	}
	return b
}

// call performs a call as the engine does.
func (b *bulk) call(tb testing.TB) {
	for _, out := range b.outs {
		usercode.As[record.Outputs](out).Reset()
	}
	if err := b.p.ProcessBatch(tb.Context(), b.recs, b.outs); err != nil {
		tb.Fatal(err)
	}
}

// TestACallAllocatesLittle: memory is reused from batch to batch.
func TestACallAllocatesLittle(t *testing.T) {
	b := newBulk(t)
	if n := testing.AllocsPerRun(50, func() { b.call(t) }); n > 20 {
		t.Errorf("a call of %d records allocates %v times, want 20 at most", batchSize, n)
	}
}

// BenchmarkCall measures a call of 1,000 records of 100 bytes, with the process's time, which
// is small.
func BenchmarkCall(b *testing.B) {
	bulk := newBulk(b)
	b.ReportAllocs()
	for b.Loop() {
		bulk.call(b)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batchSize, "ns/record")
}
