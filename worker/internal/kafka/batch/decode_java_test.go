package batch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// TestBatchesOfApacheKafka decodes what Apache Kafka 4.3.1 stored for the same
// records with each compression.type: its own codecs and framing. An aborted and
// a committed transaction with their markers follow at the offset 33.
func TestBatchesOfApacheKafka(t *testing.T) {
	files, err := filepath.Glob("testdata/java/*.batches")
	if err != nil || len(files) != 5 {
		t.Fatalf("%v, %v: one file for each compression is expected", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := setOf(t, data, 0, AbortedTransaction{ProducerID: producerAt(t, data, 33), FirstOffset: 33})
			got, next, err := decodeAll(t, s, 10, 1<<20)
			if err != nil || next != 37 {
				t.Fatalf("read up to %d: %v", next, err)
			}
			if want := storedByApacheKafka(); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func producerAt(t *testing.T, data []byte, offset int64) int64 {
	t.Helper()
	w := batchWalk{data: data}
	for {
		h, err := w.peek()
		if err != nil {
			t.Fatalf("no batch at offset %d: %v", offset, err)
		}
		if h.base == offset {
			return h.producerID
		}
		w.pass(&h)
	}
}

func storedByApacheKafka() []record.Record {
	recs := []record.Record{
		{Key: []byte("k"), Value: []byte("v"), Headers: []record.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "b"}}},
		{},
		{Key: []byte{}, Value: []byte{}},
	}
	for i := range 30 {
		recs = append(recs, record.Record{Key: fmt.Appendf(nil, "key %d", i), Value: bytes.Repeat(fmt.Appendf(nil, "value %d ", i), 1+i)})
	}
	first := time.UnixMilli(1_700_000_000_000).UTC()
	for i := range recs {
		recs[i].Offset, recs[i].Timestamp = int64(i), first.Add(time.Duration(i)*time.Millisecond)
	}
	recs = append(recs, record.Record{Offset: 35, Timestamp: first, Value: []byte("committed")})
	for i := range recs {
		recs[i].Topic, recs[i].Partition = "orders", 3
	}
	return recs
}
