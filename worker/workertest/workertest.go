// Package workertest runs a processor on given records without a broker, for
// the tests of users' own programs.
//
// It stands beside the data path: a processor is called as a worker's pool
// calls it, once for each record and in order, and what it emits is returned
// as it would be written.
package workertest

import (
	"context"
	"fmt"
	"slices"

	"github.com/millrace-dev/millrace/worker"
)

// Result is what a processor made of one record.
type Result struct {
	// Outputs are complete: what an output leaves to the input (key, headers,
	// timestamp) is filled in. None means that the record was filtered. Null
	// keys and values are nil.
	Outputs []worker.Output
	// Err is the attempt's error; a panic is one too.
	Err error
}

// Filtered reports whether the record was left out without an error.
func (r Result) Filtered() bool { return r.Err == nil && len(r.Outputs) == 0 }

// Run runs p on the records and returns a Result for each, in their order.
// A Sequencer sees them first, in order; a BatchProcessor (by worker.Batch) is
// given them in batches of its size. Failed records are not tried again.
// Records without a topic get "input"; if all offsets are zero they are counted
// up.
func Run(ctx context.Context, p worker.Processor, records ...worker.Record) []Result {
	records = number(records)
	results := make([]Result, len(records))
	var kept []int
	for i := range records {
		keep, err := sequence(p, &records[i])
		results[i].Err = err
		if keep && err == nil {
			kept = append(kept, i)
		}
	}
	size := 1
	batch, isBatch := user(p).(worker.BatchProcessor)
	if isBatch {
		size = max(batch.BatchSize(), 1)
	}
	for group := range slices.Chunk(kept, size) {
		recs, outs := make([]*worker.Record, len(group)), make([]*worker.Outputs, len(group))
		for k, i := range group {
			recs[k], outs[k] = &records[i], &worker.Outputs{}
		}
		err := guard(func() error {
			if isBatch {
				return batch.ProcessBatch(ctx, recs, outs)
			}
			return p.Process(ctx, recs[0], outs[0])
		})
		for k, i := range group {
			results[i] = result(recs[k], outs[k], err)
		}
	}
	return results
}

// Values returns the values of all outputs of the results, as strings, for
// short comparisons; a tombstone is "<null>".
func Values(results []Result) []string {
	var values []string
	for _, r := range results {
		for _, o := range r.Outputs {
			if o.Value == nil {
				values = append(values, "<null>")
				continue
			}
			values = append(values, string(o.Value))
		}
	}
	return values
}

func number(records []worker.Record) []worker.Record {
	records = slices.Clone(records)
	counted := slices.ContainsFunc(records, func(r worker.Record) bool { return r.Offset != 0 })
	for i := range records {
		if records[i].Topic == "" {
			records[i].Topic = "input"
		}
		if !counted {
			records[i].Offset = int64(i)
		}
	}
	return records
}

// user returns the user's own value inside an adapter, where hooks are found.
func user(p worker.Processor) any {
	if w, ok := p.(interface{ Unwrap() any }); ok {
		return w.Unwrap()
	}
	return p
}

func sequence(p worker.Processor, rec *worker.Record) (keep bool, err error) {
	s, ok := user(p).(worker.Sequencer)
	if !ok {
		return true, nil
	}
	err = guard(func() error { keep = s.Sequence(rec); return nil })
	return keep, err
}

func guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the processor panicked: %v", v)
		}
	}()
	return f()
}

func result(rec *worker.Record, out *worker.Outputs, err error) Result {
	if err == nil {
		err = out.Err()
	}
	if err != nil {
		return Result{Err: err}
	}
	var r Result
	for _, o := range out.List() {
		r.Outputs = append(r.Outputs, complete(rec, o))
	}
	return r
}

// complete fills in what the output takes over from its input.
func complete(rec *worker.Record, o worker.Output) worker.Output {
	if o.Key == nil && !o.NullKey {
		o.Key = rec.Key
	}
	if o.Headers == nil {
		o.Headers = rec.Headers
	}
	if o.Timestamp.IsZero() {
		o.Timestamp = rec.Timestamp
	}
	return o
}
