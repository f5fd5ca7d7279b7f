package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// batch is the arguments of a call, which are used again for the next one.
type batch struct {
	number int // of the goroutine
	recs   []*worker.Record
	outs   []*worker.Outputs
}

func newBatch(number int) *batch {
	b := &batch{number: number}
	rng := rand.New(rand.NewPCG(1, uint64(number)))
	for i := range batchRecords {
		value := make([]byte, valueBytes)
		for k := range value {
			value[k] = "abcdefghijklmnopqrstuvwxyz 0123456789"[rng.IntN(37)]
		}
		b.recs = append(b.recs, &worker.Record{
			Topic: "bench", Partition: int32(number), Offset: int64(i), Timestamp: time.Now(),
			Key: fmt.Appendf(nil, "key-%0*d", keyBytes-len("key-"), rng.IntN(10_000)), Value: value,
		})
		b.outs = append(b.outs, &worker.Outputs{})
	}
	return b
}

// reset empties the outputs, as the engine does before a call.
func (b *batch) reset() {
	for _, out := range b.outs {
		usercode.As[record.Outputs](out).Reset()
	}
}

// check returns an error unless each record has its value as its one output.
func (b *batch) check() error {
	for i, rec := range b.recs {
		out := usercode.As[record.Outputs](b.outs[i])
		if err := out.Err(); err != nil {
			return fmt.Errorf("record %d of a batch has failed: %w", i, err)
		}
		list := out.List()
		if len(list) != 1 || !bytes.Equal(list[0].Value, rec.Value) {
			return fmt.Errorf("record %d of a batch has %d outputs, want its value %q as the only one", i, len(list), rec.Value)
		}
	}
	return nil
}
