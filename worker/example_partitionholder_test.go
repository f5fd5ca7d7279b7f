package worker_test

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// numbering numbers the records of each partition. Its state is the offset, so nothing has
// to be saved; other processors read their state in Assigned and save it in Revoked. A
// process with one member needs no lock: Sequence and the hooks never overlap.
type numbering struct{ next map[int32]int64 }

func (n *numbering) Assigned(_ string, partition int32, offset int64) { n.next[partition] = offset }

func (n *numbering) Revoked(_ string, partition int32, offset int64) {
	fmt.Printf("partition %d goes on at %d\n", partition, offset)
	delete(n.next, partition)
}

func (n *numbering) Lost(_ string, partition int32) { delete(n.next, partition) }

// Sequence counts the records in their order.
func (n *numbering) Sequence(rec *worker.Record) (keep bool) {
	n.next[rec.Partition] = rec.Offset + 1
	return true
}

// Process runs in parallel.
func (n *numbering) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.EmitValue(fmt.Appendf(nil, "%d: %s", rec.Offset, rec.Value))
	return nil
}

// A PartitionHolder is a hook: the worker finds it by its methods.
func ExamplePartitionHolder() {
	results := workertest.Run(context.Background(), &numbering{next: map[int32]int64{}},
		worker.Record{Value: []byte("on")}, worker.Record{Value: []byte("off")})
	fmt.Println(workertest.Values(results))
	// Output:
	// partition 0 goes on at 2
	// [0: on 1: off]
}
