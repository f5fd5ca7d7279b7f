package worker_test

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// deduplicator drops a record whose value repeats that of the record before it in its
// partition. The calls of one member of the group never overlap, so a process with one
// member needs no lock.
type deduplicator struct{ last map[int32]string }

// Sequence sees the records of a partition in their order.
func (d *deduplicator) Sequence(rec *worker.Record) (keep bool) {
	value := string(rec.Value) // a copy: the record's bytes are borrowed
	repeated := d.last[rec.Partition] == value
	d.last[rec.Partition] = value
	return !repeated
}

// Process runs in parallel, on the records that Sequence keeps.
func (d *deduplicator) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.EmitValue(rec.Value)
	return nil
}

// A Sequencer is a hook: the worker finds it by its method.
func ExampleSequencer() {
	results := workertest.Run(context.Background(), &deduplicator{last: map[int32]string{}},
		worker.Record{Value: []byte("on")}, worker.Record{Value: []byte("on")}, worker.Record{Value: []byte("off")})
	fmt.Println(workertest.Values(results))
	// Output: [on off]
}
