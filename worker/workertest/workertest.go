// Package workertest runs a processor on given records without a broker, for
// the tests of users' programs.
//
// It calls a processor and its hooks, and completes its outputs, with the code that a
// worker uses. As in a worker, a record's bytes are gone when its call has returned. Run
// makes one call after the other, and no second attempt. A Worker makes calls at the same time
// and tries records again, without waiting. Neither has deadlines.
package workertest

import (
	"context"
	"slices"
	"time"

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
	// Err is the last attempt's error; a panic is one too.
	Err error
	// Attempts is how many attempts have begun and count, and Waited how long a worker would
	// have waited between them. Run makes one attempt.
	Attempts int
	Waited   time.Duration
}

// Filtered reports whether the record has neither outputs nor an error.
func (r Result) Filtered() bool { return r.Err == nil && len(r.Outputs) == 0 }

// Run runs p on the records and returns a Result for each, in their order.
//
// A PartitionHolder first hears of all partitions of the records, and a Sequencer sees all
// records, in order. A BatchProcessor (by worker.Batch) gets them in batches within its
// limits; if a call fails, all of its records have the error. An OutcomeObserver hears of each
// record without an error, and of those whose error ends their attempts, as with the policy
// DeadLetter; a panic of the Sequencer does. Where outputs were written is not known. At the
// end the partitions are revoked. Run tries no record again, and does not close p.
//
// Records without a topic get the topic "input". If all offsets are zero, Run numbers the
// records from 0. The processor gets copies of the records, whose bytes Run overwrites after
// the call.
//
// If p is nil, its BatchSize panics, or its Assigned does, a worker would not start. Then
// every record has that error.
func Run(ctx context.Context, p worker.Processor, records ...worker.Record) []Result {
	records = own(records)
	results := make([]Result, len(records))
	code, ok := start(p, records, results)
	if !ok {
		return results
	}
	for _, items := range calls(sequence(code, records, results), code.BatchLimits()) {
		_ = attempt(ctx, code, items) // each record has the error
		for _, it := range items {
			it.result.Attempts = 1
			observe(code, it)
			it.rec.overwrite()
		}
	}
	revoked(code, records)
	return results
}

// start finds the processor's code and tells it of the partitions. If a worker would not
// start, it notes the error for each record.
func start(p worker.Processor, records []worker.Record, results []Result) (code *usercode.Code, ok bool) {
	code, err := usercode.Of[worker.Record, worker.Outputs, worker.Outcome](p)
	if err == nil {
		err = assigned(code, records)
	}
	if err == nil {
		return code, true
	}
	for i := range results {
		results[i].Err = err
	}
	return nil, false
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

// item is a record on its way to its result.
type item struct {
	rec    borrowed
	result *Result
	final  bool // the result's error ends the attempts, whatever it is
}

// sequence shows the records to the Sequencer and returns those to process.
func sequence(code *usercode.Code, records []worker.Record, results []Result) (kept []item) {
	for i := range records {
		it := item{rec: borrowed{usercode.As[record.Record](&records[i])}, result: &results[i]}
		keep := true
		if code.HasSequencer() {
			keep, it.result.Err = code.Sequence(it.rec.Record)
			it.final = it.result.Err != nil
		}
		if keep {
			kept = append(kept, it)
		} else {
			observe(code, it)
		}
	}
	return kept
}

// calls divides the records into those of each call.
func calls(items []item, limits usercode.BatchLimits) (all [][]item) {
	bytes := 0
	for i, it := range items {
		size := it.rec.Size()
		last := len(all) - 1
		if i == 0 || len(all[last]) == limits.Records || limits.Bytes > 0 && bytes+size > limits.Bytes {
			all = append(all, nil)
			last, bytes = last+1, 0
		}
		all[last] = append(all[last], it)
		bytes += size
	}
	return all
}

// attempt makes one call of the user's code and notes its results. It returns the error of a
// call of several records that fails as a whole.
func attempt(ctx context.Context, code *usercode.Code, items []item) (whole error) {
	recs, outs := make([]*record.Record, len(items)), make([]*record.Outputs, len(items))
	for k, it := range items {
		recs[k], outs[k] = it.rec.Record, &record.Outputs{}
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
	if err != nil && len(items) > 1 {
		return items[0].result.Err
	}
	return nil
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
		r.Outputs = append(r.Outputs, complete(rec, o))
	}
	return r
}

// complete fills in the parts that the output takes over from its record, and copies all of
// them: they may be the record's.
func complete(rec *record.Record, o record.Output) worker.Output {
	headers, traceContext := o.HeadersFor(rec, nil)
	if len(traceContext) > 0 {
		headers = slices.Concat(headers, traceContext)
	}
	o.Key, o.Timestamp = slices.Clone(o.KeyFor(rec)), o.TimestampFor(rec)
	o.Value = slices.Clone(o.Value)
	o.Headers = copied(headers)
	return *usercode.As[worker.Output](&o)
}
