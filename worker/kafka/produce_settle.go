package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// errNoResult is what a broker that leaves a batch out of its answer has failed
// with.
var errNoResult = errors.New("the broker's answer does not contain the partition")

// settle does what the answer to a request, or err, asks for.
func (s *sender) settle(res *produceResponse, err error) {
	var news produceNews
	if err != nil {
		s.failAll(err, &news)
	} else {
		s.quietUntil = quietUntil(s.broker, res.throttleMs, s.p.cfg.OnThrottle)
		for _, o := range s.batches {
			s.settleBatch(o, res.result(o.queue.topic.name, o.queue.partition), &news)
		}
	}
	news.log(s.p.log, s.broker)
}

// failAll deals with a request that has no answer: nobody knows what of it was
// stored.
func (s *sender) failAll(err error, news *produceNews) {
	fatal := !Retriable(err) && !errors.Is(err, context.Canceled)
	if fatal {
		s.p.fatal(fmt.Errorf("write to broker %d: %w", s.broker, err))
	}
	for _, o := range s.batches {
		if !fatal {
			news.add(o.queue, err)
		}
		noteFailure(o.batch, err)
		s.sendAgain(o.queue, true)
	}
}

// settleBatch deals with the answer about one batch.
func (s *sender) settleBatch(o outgoing, r *produceResult, news *produceNews) {
	q, b := o.queue, o.batch
	if r == nil {
		noteFailure(b, errNoResult)
		news.add(q, errNoResult)
		s.sendAgain(q, true)
		return
	}
	err := wire.ErrorOf(r.errorCode)
	switch judge(r.errorCode) {
	case stored:
		news.end(q)
		s.stored(q, b, r)
	case renew:
		s.p.ids.forget(q.producer)
		q.producer = noProducer
		b.Reopen()
		news.add(q, err)
		s.sendAgain(q, false)
	case tooLarge:
		s.tooLarge(q, b, r)
	case refuse:
		s.refuse(q, b, r)
	case sendAgain:
		noteFailure(b, err)
		news.add(q, err)
		s.sendAgain(q, StaleLeader(err))
	case unexplained:
		s.unexplained(q, b, r, news)
	case unsupported:
		s.unsupported(q, b, r)
	case fatal:
		s.forbidden(q, b, r)
	}
}

func (s *sender) stored(q *partitionQueue, b *batch.Builder, r *produceResult) {
	offset := r.baseOffset
	if r.errorCode != 0 {
		// The broker has it, but does not remember where.
		offset = -1
	}
	q.sequence = batch.SequenceAfter(q.sequence, b.Count())
	q.refusals, q.away = refusals{}, refusals{}
	q.topic.limit.accept(b.Size())
	s.acknowledge(q, offset, b.Origins(), b.Payload(), nil)
	s.finish(q, b)
}

// sendAgain keeps a queue's batch for another attempt, and moves records that need not
// wait for it to other partitions. With moved, the partition's leader is looked up
// first.
func (s *sender) sendAgain(q *partitionQueue, moved bool) {
	if moved {
		s.p.client.forgetLeaders(q.topic.name)
	}
	if s.p.divert(q) {
		return
	}
	pause := q.backoff.Next()
	if moved {
		s.p.route(q, pause)
		return
	}
	q.notBefore = time.Now().Add(pause)
	s.waiting = append(s.waiting, q)
}

// finish ends a batch, of which nothing is left to do, or puts others in its
// place; the queue is kept while there is something in it.
func (s *sender) finish(q *partitionQueue, b *batch.Builder, others ...*batch.Builder) {
	if s.p.replace(q, b, others...) {
		s.waiting = append(s.waiting, q)
	}
}

// replace does the work of finish and reports whether the queue stays active.
func (p *Producer) replace(q *partitionQueue, b *batch.Builder, others ...*batch.Builder) (active bool) {
	settled := int(b.Count())
	for _, other := range others {
		settled -= int(other.Count())
	}
	active = q.replace(settled, others...)
	p.release(b) // only now does nobody find it in the queue
	p.settledSome()
	return active
}

// acknowledge reports what became of records of a batch.
func (s *sender) acknowledge(q *partitionQueue, offset int64, origins []batch.Origin, bytes int, err error) {
	s.ack = Ack{Topic: q.topic.name, Partition: q.partition, BaseOffset: offset, Origins: origins, Bytes: bytes, Err: err}
	s.p.acknowledge(&s.ack)
	s.ack.Origins = nil
}

func (p *Producer) acknowledge(a *Ack) {
	if a.Err != nil {
		p.refusing.Add(1)
		defer p.refusing.Add(-1)
	}
	p.cfg.OnAck(a)
}
