package produce

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
)

// announceTimeout bounds the wait for an announcement, which no record needs.
const announceTimeout = time.Second

// announce makes the partitions with the first records of a transaction part of it, if
// several brokers are about to get them. In version 2 the brokers would do so themselves. But
// the coordinator takes one such request at a time, and a broker that comes second waits for
// 20 ms before it asks again. The first sender announces, and the others wait for it.
func (ts *transactions) announce(tx *transaction) {
	if !tx.announcing.CompareAndSwap(false, true) {
		<-tx.announced
		return
	}
	defer close(tx.announced)
	var partitions []txn.TopicPartition
	brokers := make(map[*sender]bool)
	for q := range ts.p.directory.queues {
		if sender := q.sendingTo(tx.number); sender != nil {
			partitions = append(partitions, q.name())
			brokers[sender] = true
		}
	}
	if len(brokers) < 2 {
		return
	}
	ctx, cancel := context.WithTimeout(tx.ctx, announceTimeout)
	defer cancel()
	if err := tx.AddPartitions(ctx, partitions); err != nil {
		ts.p.cfg.Logger.V(1).Info("could not announce the partitions of a transaction; their brokers add them", "error", err.Error())
	}
}

// sendingTo returns the sender of the queue's broker if the queue is about to send records of
// a transaction; nil otherwise. A partition in trouble must not become part of a transaction
// before its records can be written: the coordinator can't finish the transaction, nor begin
// the next one, before it has told all of the partitions.
func (q *partitionQueue) sendingTo(number uint64) *sender {
	if q.inTrouble() {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if b := q.first(); b == nil || b.Transaction > number {
		return nil
	}
	return q.sender
}
