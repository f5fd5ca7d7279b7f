package usercode

import (
	"context"
	"errors"
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Translator changes values between their form in Kafka and the one that the user's code
// works with. Its methods may be called by several goroutines at once; each appends to dst.
type Translator interface {
	// AppendInput appends the value that the code gets in the place of a record's.
	AppendInput(ctx context.Context, dst, value []byte) ([]byte, error)
	// AppendOutput appends the value to write in the place of a result's; topic is "" for the
	// output topic.
	AppendOutput(ctx context.Context, dst []byte, topic string, value []byte) ([]byte, error)
}

// Translate puts a Translator around Process and ProcessBatch. Null values stay null. The
// hooks see records as they are in Kafka, and so do dead letters. A value that can't be
// translated is a failed attempt of its record alone; an error that failure.Untried has
// marked is one of the call.
func (c *Code) Translate(t Translator) {
	process, batch := c.process, c.batch
	c.process = func(ctx context.Context, rec *record.Record, out *record.Outputs) error {
		tr := translations.Get().(*translation)
		defer tr.release()
		switch err := tr.read(ctx, t, []*record.Record{rec}, []*record.Outputs{out}); {
		case err != nil:
			return err
		case len(tr.recs) == 0: // read has set its error
			return nil
		}
		if err := process(ctx, tr.pointers[0], out); err != nil {
			return err
		}
		if err := overrun(ctx); err != nil {
			return err
		}
		return tr.write(ctx, t, out)
	}
	if batch == nil {
		return
	}
	c.batch = func(ctx context.Context, recs []*record.Record, outs []*record.Outputs) error {
		tr := translations.Get().(*translation)
		defer tr.release()
		if err := tr.read(ctx, t, recs, outs); err != nil || len(tr.recs) == 0 {
			return err
		}
		if err := batch(ctx, tr.pointers, tr.outs); err != nil {
			return err
		}
		if err := overrun(ctx); err != nil {
			return err
		}
		for _, out := range tr.outs {
			if out.Err() != nil {
				continue
			}
			err := tr.write(ctx, t, out)
			if failure.IsUntried(err) {
				return err
			}
			out.Fail(err)
		}
		return nil
	}
}

// overrun returns an error if the code has used up the attempt's time. A Translator that waits
// would say that the attempt has not begun, and the record would never be charged.
func overrun(ctx context.Context) error {
	if err := ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// translation is the memory of one call. A call that panics or never returns keeps it.
type translation struct {
	recs     []record.Record  // with translated values
	pointers []*record.Record // to recs
	outs     []*record.Outputs
	buffer   []byte
}

var translations = sync.Pool{New: func() any { return new(translation) }}

// keptBuffer is the largest buffer that a translation keeps between calls.
const keptBuffer = 1 << 20

// release gives the memory back after a call that has returned.
func (tr *translation) release() {
	if cap(tr.buffer) > keptBuffer {
		tr.buffer = nil
	}
	clear(tr.recs)
	clear(tr.pointers)
	clear(tr.outs)
	tr.recs, tr.pointers, tr.outs = tr.recs[:0], tr.pointers[:0], tr.outs[:0]
	translations.Put(tr)
}

// read translates the values of records. Those that can't be translated fail.
func (tr *translation) read(ctx context.Context, t Translator, recs []*record.Record, outs []*record.Outputs) error {
	for i, rec := range recs {
		translated := *rec
		if rec.Value != nil {
			var err error
			tr.buffer, err = t.AppendInput(ctx, tr.buffer[:0], rec.Value)
			if failure.IsUntried(err) {
				return err
			}
			if err != nil {
				outs[i].Fail(err)
				continue
			}
			// A result may be this value, and lives as long as the outputs.
			translated.Value = append(outs[i].Buffer(len(tr.buffer)), tr.buffer...)
		}
		tr.recs, tr.outs = append(tr.recs, translated), append(tr.outs, outs[i])
	}
	for i := range tr.recs {
		tr.pointers = append(tr.pointers, &tr.recs[i])
	}
	return nil
}

// write translates the values of a record's results.
func (tr *translation) write(ctx context.Context, t Translator, out *record.Outputs) error {
	list := out.List()
	for i := range list {
		if list[i].Value == nil {
			continue
		}
		var err error
		if tr.buffer, err = t.AppendOutput(ctx, tr.buffer[:0], list[i].Topic, list[i].Value); err != nil {
			return err
		}
		list[i].Value = append(out.Buffer(len(tr.buffer)), tr.buffer...)
	}
	return nil
}
