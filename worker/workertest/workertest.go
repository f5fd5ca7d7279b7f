// Package workertest runs a processor on given records without a broker, for
// the tests of users' programs.
//
// It calls a processor and completes its outputs with the code that a worker uses, but
// has no pool, no retries and no deadlines: it makes one call after the other.
package workertest

import (
	"context"
	"slices"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Result holds the outputs that a processor made of one record, or its error.
type Result struct {
	// Outputs are complete: they contain the key, headers and timestamp that they take
	// over from the input. There are none if the record was filtered. Null
	// keys and values are nil.
	Outputs []worker.Output
	// Err is the attempt's error; a panic is one too.
	Err error
}

// Filtered reports whether the record has neither outputs nor an error.
func (r Result) Filtered() bool { return r.Err == nil && len(r.Outputs) == 0 }

// Run runs p on the records and returns a Result for each, in their order.
// A Sequencer sees all records first, in order. A BatchProcessor (by worker.Batch) gets
// them in batches of its size; if a call fails, all of its records have the error. Run
// tries no record again. Records without a topic get the topic "input". If all offsets
// are zero, Run numbers the records from 0.
//
// If p is nil, or its BatchSize panics, a worker would not start. Then every record has
// that error.
func Run(ctx context.Context, p worker.Processor, records ...worker.Record) []Result {
	records = number(records)
	results := make([]Result, len(records))
	code, err := usercode.Of[worker.Record, worker.Outputs, worker.Outcome](p)
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	for items := range slices.Chunk(sequence(code, records, results), code.BatchSize()) {
		attempt(ctx, code, items)
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

// item is a record on its way to its result.
type item struct {
	rec    *record.Record
	result *Result
}

// sequence shows the records to the Sequencer and returns those to process.
func sequence(code *usercode.Code, records []worker.Record, results []Result) (kept []item) {
	for i := range records {
		it := item{usercode.As[record.Record](&records[i]), &results[i]}
		keep := true
		if code.HasSequencer() {
			keep, it.result.Err = code.Sequence(it.rec)
		}
		if keep {
			kept = append(kept, it)
		}
	}
	return kept
}

// attempt makes one call of the user's code and notes its results.
func attempt(ctx context.Context, code *usercode.Code, items []item) {
	recs, outs := make([]*record.Record, len(items)), make([]*record.Outputs, len(items))
	for k, it := range items {
		recs[k], outs[k] = it.rec, &record.Outputs{}
	}
	var err error
	if code.InBatches() {
		err = code.ProcessBatch(ctx, recs, outs)
	} else {
		err = code.Process(ctx, recs[0], outs[0])
	}
	for k, it := range items {
		*it.result = result(recs[k], outs[k], err)
	}
}

func result(rec *record.Record, out *record.Outputs, err error) Result {
	if err == nil {
		err = out.Err()
	}
	if err != nil {
		return Result{Err: usercode.Usable(err)}
	}
	var r Result
	for _, o := range out.List() {
		complete(rec, &o)
		r.Outputs = append(r.Outputs, *usercode.As[worker.Output](&o))
	}
	return r
}

// complete fills in the parts that the output takes over from its record.
func complete(rec *record.Record, o *record.Output) {
	headers, traceContext := o.HeadersFor(rec, nil)
	if len(traceContext) > 0 {
		headers = slices.Concat(headers, traceContext)
	}
	o.Key, o.Headers, o.Timestamp = o.KeyFor(rec), headers, o.TimestampFor(rec)
}
