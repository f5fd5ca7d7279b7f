package worker_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// scorer scores texts in calls of up to 64, as a model on an accelerator would.
type scorer struct{}

func (scorer) BatchSize() int { return 64 }

func (scorer) ProcessBatch(_ context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	for i, rec := range recs {
		if len(rec.Value) == 0 {
			out[i].Fail(worker.Permanent(errors.New("there is no text"))) // fails this record alone
			continue
		}
		value := fmt.Appendf(out[i].Buffer(16), "%d", len(rec.Value))
		out[i].EmitValue(value)
	}
	return nil
}

// Batch makes a Processor of a BatchProcessor, for Main, Run and workertest.Run.
func ExampleBatchProcessor() {
	results := workertest.Run(context.Background(), worker.Batch(scorer{}),
		worker.Record{Value: []byte("hello")}, worker.Record{}, worker.Record{Value: []byte("hi")})
	fmt.Println(workertest.Values(results))
	fmt.Println(results[1].Err)
	// Output:
	// [5 2]
	// there is no text
}
