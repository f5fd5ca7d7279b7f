package batch

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// TestLoosenedBatchRefersOnlyToWhatWasDetached: a record that is not kept must not
// keep the memory alive that came with it.
func TestLoosenedBatchRefersOnlyToWhatWasDetached(t *testing.T) {
	sent := kmsg.Record{Key: []byte("key"), Value: []byte("value"), Headers: []kmsg.Header{{Key: "name", Value: []byte("header")}}}
	s, pool := setOf(t, batchtest.Spec{Records: []kmsg.Record{sent, sent, sent}}.Encode(), 0)
	b := new(Batch)
	if err := s.Next(b, 3, 1<<20); err != nil {
		t.Fatal(err)
	}
	s.Release()
	b.Detach(&b.Records[1])
	b.Loosen(func(i int) bool { return i == 1 })
	dirty(pool)
	if b.Borrowed() != 0 {
		t.Errorf("%d bytes are borrowed", b.Borrowed())
	}
	for i := range b.Records {
		rec := &b.Records[i]
		if rec.Offset != int64(i) {
			t.Errorf("record %d has offset %d", i, rec.Offset)
		}
		if i == 1 {
			if string(rec.Key) != "key" || string(rec.Value) != "value" || len(rec.Headers) != 1 ||
				rec.Headers[0].Key != "name" || string(rec.Headers[0].Value) != "header" {
				t.Errorf("the detached record is %+v", rec)
			}
		} else if rec.Key != nil || rec.Value != nil || rec.Headers != nil {
			t.Errorf("record %d still refers to %+v", i, rec)
		}
	}
	for _, h := range b.headers {
		if h.Key != "" || h.Value != nil {
			t.Errorf("a header still refers to %+v", h)
		}
	}
}
