package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// An Origin's index holds the record's index in its chunk. For a dead letter it holds
// deadLetterBit and the letter's failure.Form above that.
const (
	deadLetterBit = 1 << 30
	formShift     = 24
	recordMask    = 1<<formShift - 1
	formMask      = 1<<failure.FormBits - 1
)

// letterOptions are the dead-letter topic's. Letters are compressed even if outputs are
// not: the letter of a record that came compressed must not be larger than the record
// was. A refused letter concerns the record's partition, not the worker.
var letterOptions = produce.TopicOptions{Compression: config.Zstd, Isolated: true}

// deadLetter writes the record to the dead-letter topic; the acknowledgement
// settles it.
func (s *settler) deadLetter(c *chunk, i int, attempts int, err error) {
	if c.outcomes != nil {
		c.outcomes.setFate(i, record.DeadLettered, err)
	}
	if lost, ok := errors.AsType[*lostLetterError](err); ok {
		s.letterRefused(c, i, lost.form, lost.err)
		return
	}
	s.writeLetter(c, i, attempts, err, 0)
}

// writeLetter writes a dead letter in a form. Its own timestamp is the time of
// failure, so that the topic's retention counts from there and an odd timestamp
// can't be refused.
func (s *settler) writeLetter(c *chunk, i int, attempts int, err error, form failure.Form) {
	rec := &c.Records[i]
	now := time.Now()
	letter := failure.NewLetter(rec, err, attempts, now, form)
	msg := batch.Message{
		Key: letter.Key, Value: letter.Value, Headers: letter.Headers, Extra: letter.Extra,
		Timestamp: now.UnixMilli(),
	}
	to := produce.Anywhere(uint32(rec.Partition))
	if msg.Key != nil {
		to = produce.ByKey()
	}
	origin := batch.Origin{Owner: c, Index: int32(i) | deadLetterBit | int32(form)<<formShift}
	writer, refusal := s.letterWriter(err)
	if refusal == nil {
		refusal = writer.Append(c.part.owned, to, &msg, origin)
	}
	if refusal != nil && !c.part.givenUp() {
		s.letterRefused(c, i, form, refusal)
	}
}

// letterWriter returns the writer of the letter for an error, which may name another topic.
func (s *settler) letterWriter(err error) (*produce.TopicWriter, error) {
	topic, ok := failure.TopicOf(err)
	if !ok {
		return s.writers.deadLetters, nil
	}
	writer, lookup := s.writers.letters.Named(topic)
	if lookup != nil {
		return nil, s.proc.clusters.in(inputPlace, fmt.Errorf("dead-letter topic: %w", lookup))
	}
	return writer, nil
}

// letterTopicPending returns why the letter for an error can't be written yet: it is not
// known whether its topic exists. It returns nil if it is known, or if there is no such
// topic.
func (s *settler) letterTopicPending(err error) error {
	if _, ok := failure.TopicOf(err); !ok {
		return nil
	}
	if _, err = s.letterWriter(err); errors.Is(err, produce.ErrTopicPending) {
		return err
	}
	return nil
}

// lostLetterError is the error of a record whose letter was not delivered in a transaction
// that is aborted. It is not written again when the record is processed again.
type lostLetterError struct {
	form failure.Form
	err  error
}

// Error implements error.
func (e *lostLetterError) Error() string { return e.err.Error() }

// Unwrap returns why the letter was not delivered.
func (e *lostLetterError) Unwrap() error { return e.err }

// letterRefused takes a dead letter that the brokers refuse to store. It writes the
// letter in another form if that may help. A record whose letter can't be
// written at all is dropped if the policy says so; otherwise its partition is
// halted, and all others go on.
func (s *settler) letterRefused(c *chunk, i int, form failure.Form, refusal error) {
	rec := &c.Records[i]
	attempts, _, err := c.part.failures.of(rec.Offset)
	if err == nil {
		err = errUnknown
	}
	attempts = max(attempts, 1)
	if next, ok := otherForm(rec, form, refusal); ok {
		s.proc.failures.exhausted("the dead-letter topic refuses a record as it is: writing the letter in another form", rec, attempts, refusal)
		s.writeLetter(c, i, attempts, err, next)
		return
	}
	lost := &LetterError{
		Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset,
		OnRefused: s.proc.cfg.Failure.DeadLetter.OnRefused, Refusal: refusal, Err: err,
	}
	if lost.aboutTheRecord() && lost.OnRefused == config.Drop {
		s.proc.failures.lines.Error(lost, "dropped a record", "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset,
			"attempts", attempts)
		s.drop(c, i, err)
		return
	}
	p := c.part
	p.stuck.Add(1)
	s.feeder.post(func(f *feeder) {
		if r := f.holdings.of(p); r != nil {
			f.halts.halt(r, lost)
		}
	})
}

// otherForm returns the form of a letter to try after one was refused.
func otherForm(rec *record.Record, form failure.Form, refusal error) (next failure.Form, ok bool) {
	switch {
	case errors.Is(refusal, produce.ErrTooLarge):
		return form.Smaller()
	case errors.Is(refusal, produce.ErrInvalidRecord) && rec.Key == nil && form&failure.AddKey == 0:
		// Compacted topics take no records without a key.
		return form | failure.AddKey, true
	default:
		return form, false
	}
}

// errUnknown stands for a record's failure that is not remembered.
var errUnknown = errors.New("unknown")

// LetterError is the error of a record whose dead letter can't be written. The record's
// partition is halted, or the record dropped.
type LetterError struct {
	Topic     string
	Partition int32
	Offset    int64
	OnRefused config.OnExhausted // of the configuration
	Refusal   error              // of the letter
	Err       error              // of the record
}

// Error implements error.
func (e *LetterError) Error() string {
	return fmt.Sprintf("the dead letter of topic %q partition %d offset %d can't be written: %v; %s; the record had failed with: %v",
		e.Topic, e.Partition, e.Offset, e.Refusal, e.hint(), e.Err)
}

// aboutTheRecord reports whether the topic may well take letters of other records. Only
// then does onRefused apply.
func (e *LetterError) aboutTheRecord() bool {
	return errors.Is(e.Refusal, produce.ErrTooLarge) || errors.Is(e.Refusal, produce.ErrInvalidRecord)
}

func (e *LetterError) hint() string {
	remedy := "change the dead-letter topic's configuration"
	switch {
	case errors.Is(e.Refusal, kafka.ErrNotAuthorized), errors.Is(e.Refusal, produce.ErrNotDelivered):
		return "restart the pod, or let the partition move, when that is done"
	case errors.Is(e.Refusal, produce.ErrTooLarge):
		remedy = "raise max.message.bytes of the dead-letter topic"
	}
	if !e.aboutTheRecord() || e.OnRefused == config.Drop {
		return remedy
	}
	return remedy + ", or set failure.deadLetter.onRefused to Drop"
}

// Unwrap returns why the letter is refused.
func (e *LetterError) Unwrap() error { return e.Refusal }
