package produce

import (
	"bufio"
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
)

// writeRequest gathers the batches of a sender's next request and sends them. It
// belongs to the sender's goroutine.
type writeRequest struct {
	p       *Producer
	broker  int32
	tx      *transaction // that the batches belong to; nil without transactions
	ctx     context.Context
	batches []outgoing
	joining []txn.TopicPartition // kept for its memory
	out     *bufio.Writer
}

// outgoing is a batch in a request. It stays the first of its queue.
type outgoing struct {
	queue *partitionQueue
	batch *batch.Builder
}

// unpacked reports whether the batch is still to be compressed.
func (o outgoing) unpacked() bool {
	return !o.batch.PackTried() && o.queue.topic.compression() != compress.None
}

// prepare compresses the batches and writes their headers. A batch of an earlier
// request does not change. prepare fails only when the Producer is closed, or when its
// transaction is over.
func (r *writeRequest) prepare() error {
	r.ctx, r.tx = r.p.tasks.ctx, r.p.transactions.current.Load()
	switch {
	case r.tx != nil:
		r.ctx = r.tx.ctx
	case r.p.transactions.enabled():
		return errReset
	}
	r.packAll()
	for i := range r.batches {
		q, b := r.batches[i].queue, r.batches[i].batch
		if err := r.identify(q, b); err != nil {
			return err
		}
		if !b.Finished() {
			b.Finish(q.producer, q.sequence)
		}
	}
	return nil
}

// identify makes sure that a queue has the identity to write b with.
func (r *writeRequest) identify(q *partitionQueue, b *batch.Builder) error {
	switch {
	case r.tx != nil:
		if q.producer != r.tx.identity {
			q.producer, q.sequence = r.tx.identity, 0
			b.Reopen()
		}
	case q.producer == noProducer && !b.Finished():
		identity, err := r.p.ids.get(r.ctx)
		if err != nil {
			return err
		}
		q.producer, q.sequence = identity, 0
	}
	return nil
}

// packAll compresses the batches that are not compressed yet, on all processors.
func (r *writeRequest) packAll() {
	if !slices.ContainsFunc(r.batches, outgoing.unpacked) {
		return
	}
	var next atomic.Int32
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(r.batches) {
				return
			}
			if o := r.batches[i]; o.unpacked() {
				if err := o.batch.Pack(o.queue.topic.compression(), r.p.memory.buffers); err != nil {
					r.p.log.Error(err, "a batch is sent uncompressed", "topic", o.queue.topic.name)
				}
			}
		}
	}
	var helpers sync.WaitGroup
	for range min(len(r.batches), runtime.GOMAXPROCS(0)) - 1 {
		helpers.Go(work)
	}
	work()
	helpers.Wait()
}

// send sends the batches and returns the response. Until it returns, their memory
// is in use.
func (r *writeRequest) send() (*response, error) {
	slices.SortFunc(r.batches, func(a, b outgoing) int {
		return cmp.Or(
			cmp.Compare(a.queue.topic.name, b.queue.topic.name),
			cmp.Compare(a.queue.partition, b.queue.partition),
		)
	})
	req := &request{
		broker:   r.broker,
		clientID: r.p.client.ClientID(),
		out:      r.out,
		batches:  make([]requestBatch, len(r.batches)),
	}
	for i, o := range r.batches {
		req.batches[i] = requestBatch{topic: o.queue.topic.name, partition: o.queue.partition, bytes: o.batch.Encoded()}
	}
	if r.tx != nil {
		req.transactionalID, req.addsPartitions = r.tx.ID(), r.tx.version >= 2
	}
	return send(r.ctx, r.p.client, req)
}

// clear forgets the batches.
func (r *writeRequest) clear() {
	clear(r.batches)
	r.batches = r.batches[:0]
}
