package txn

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// initRequest is InitProducerId.
type initRequest struct {
	transactionalID string
	timeout         time.Duration
	former          batch.Identity

	identity batch.Identity // of the answer
}

func (*initRequest) api() api { return initProducerID }

func (r *initRequest) encode(e *encoder, _ int16) {
	e.string(r.transactionalID)
	e.int32(int32(r.timeout.Milliseconds()))
	e.int64(r.former.ID)
	e.int16(r.former.Epoch)
}

func (r *initRequest) decode(d *decoder, _ int16) error {
	err := wire.ErrorOf(d.Int16())
	r.identity = decodeIdentity(d)
	return err
}

// endRequest is EndTxn.
type endRequest struct {
	producer
	commit bool

	next batch.Identity // of the answer, from version 5 on
}

func (*endRequest) api() api { return endTxn }

func (r *endRequest) encode(e *encoder, _ int16) {
	r.encodeTo(e)
	e.bool(r.commit)
}

func (r *endRequest) decode(d *decoder, version int16) error {
	err := wire.ErrorOf(d.Int16())
	r.next = r.identity
	if version >= endTxn.latest {
		r.next = decodeIdentity(d)
	}
	return err
}

// addOffsetsRequest is AddOffsetsToTxn.
type addOffsetsRequest struct {
	producer
	group string
}

func (*addOffsetsRequest) api() api { return addOffsetsToTxn }

func (r *addOffsetsRequest) encode(e *encoder, _ int16) {
	r.encodeTo(e)
	e.string(r.group)
}

func (*addOffsetsRequest) decode(d *decoder, _ int16) error { return wire.ErrorOf(d.Int16()) }

// addPartitionsRequest is AddPartitionsToTxn. The coordinator adds all partitions or none.
type addPartitionsRequest struct {
	producer
	topics []topicPartitions

	refused map[TopicPartition]error // of the answer
}

func (*addPartitionsRequest) api() api { return addPartitionsToTxn }

func (r *addPartitionsRequest) encode(e *encoder, _ int16) {
	r.encodeTo(e)
	e.count(len(r.topics))
	for _, t := range r.topics {
		e.string(t.topic)
		e.count(len(t.partitions))
		for _, p := range t.partitions {
			e.int32(p)
		}
		e.tags()
	}
}

func (r *addPartitionsRequest) decode(d *decoder, _ int16) error {
	r.refused = make(map[TopicPartition]error)
	decodePartitions(d, func(p TopicPartition, err error) {
		if err != nil {
			r.refused[p] = err
		}
	})
	return r.judge()
}

// offsetCommitRequest is TxnOffsetCommit.
type offsetCommitRequest struct {
	producer
	Offsets

	answers map[int32]error // by partition
}

func (*offsetCommitRequest) api() api { return txnOffsetCommit }

func (r *offsetCommitRequest) encode(e *encoder, _ int16) {
	e.string(r.transactionalID)
	e.string(r.Group)
	r.encodeIdentity(e)
	e.int32(r.Generation)
	e.string(r.MemberID)
	e.optional(r.InstanceID)
	e.count(1)
	e.string(r.Topic)
	e.count(len(r.Partitions))
	for _, p := range r.Partitions {
		e.int32(p.Partition)
		e.int64(p.Offset)
		e.int32(p.LeaderEpoch)
		e.string(p.Metadata)
		e.tags()
	}
	e.tags()
}

func (r *offsetCommitRequest) decode(d *decoder, _ int16) error {
	r.answers = make(map[int32]error, len(r.Partitions))
	for _, p := range r.Partitions {
		r.answers[p.Partition] = wire.ErrOmitted
	}
	decodePartitions(d, func(p TopicPartition, err error) {
		if p.Topic == r.Topic {
			r.answers[p.Partition] = err
		}
	})
	return r.judge()
}

// decodePartitions reads an answer that has a code for each partition.
func decodePartitions(d *decoder, answer func(p TopicPartition, err error)) {
	for n := d.count(); n > 0 && d.Err == nil; n-- {
		topic := d.string()
		for p := d.count(); p > 0 && d.Err == nil; p-- {
			partition, code := d.Int32(), d.Int16()
			d.tags()
			if d.Err == nil {
				answer(TopicPartition{topic, partition}, wire.ErrorOf(code))
			}
		}
		d.tags()
	}
}
