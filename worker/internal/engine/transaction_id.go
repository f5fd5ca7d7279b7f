package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// A member's transactional id is that of one of its partitions. A partition has one
// owner, so no two members have the same id, and there are never more ids than
// partitions. The member lets go of the id before it gives the partition back. The next
// owner of a partition whose last owner has died opens the id too: the coordinator ends
// what the dead one had open, and refuses it from then on if it lives after all.

// noFormer is the former identity of an id that this member has not used.
var noFormer = batch.Identity{ID: -1, Epoch: -1}

// transactionalID returns the transactional id that belongs to a partition. Names of topics
// have no colon, so other groups and topics have other ids.
func (t *transactions) transactionalID(partition int32) string {
	return fmt.Sprintf("%s:%s:%d", t.proc.cfg.Input.GroupID, t.proc.cfg.Input.Topic, partition)
}

// ready makes sure that the member has a transactional id, and lets the producer send.
// It reports false if there is no partition to take the id of. The caller holds
// committer.mu.
func (t *transactions) ready(ctx context.Context, candidates []*partition) (bool, error) {
	if t.session != nil {
		return true, nil
	}
	partition, ok := lowest(candidates)
	if !ok {
		return false, nil
	}
	t.idOf.Store(partition)
	s, err := t.openID(ctx, partition, noFormer)
	if err != nil {
		t.log.Info("could not get a transactional id; trying again", "error", err.Error())
		return false, err
	}
	t.begin(s, partition)
	return true, nil
}

// begin goes on under a session.
func (t *transactions) begin(s *txn.Session, partition int32) {
	t.session, t.partition = s, partition
	t.counts.Identified(s.ID(), s.Version())
	t.resume()
}

// resume lets the producer send in the next transaction.
func (t *transactions) resume() {
	now := time.Now()
	t.resumed.Store(&now)
	t.producer.Resume(t.session)
}

// age returns for how long the producer could send in the transaction under way.
func (t *transactions) age(now time.Time) time.Duration {
	resumed := t.resumed.Load()
	if resumed == nil {
		return math.MaxInt64
	}
	return now.Sub(*resumed)
}

// lowest returns the lowest partition of those that the member keeps. Without any it
// returns the lowest one that is drained, and as a last resort of those that are about to
// be given back. Partitions that are being acquired must have been fenced.
func lowest(candidates []*partition) (id int32, ok bool) {
	for _, states := range [][]partitionState{{acquiring, active, careful, halted}, {draining}, {closing}} {
		for _, p := range candidates {
			if p.inState(states...) && (!ok || p.id < id) {
				id, ok = p.id, true
			}
		}
		if ok {
			break
		}
	}
	return id, ok
}

// openID opens a partition's transactional id. An error that no waiting removes ends the
// worker.
func (t *transactions) openID(ctx context.Context, partition int32, former batch.Identity) (*txn.Session, error) {
	s, err := txn.Open(ctx, t.client, txn.Config{
		TransactionalID: t.transactionalID(partition), Timeout: t.proc.cfg.Transaction.Timeout.Duration,
		Former: former, Logger: t.log,
	})
	if err != nil && !passes(err) {
		t.proc.fail(err, true) // without an id nothing can be written or committed
	}
	return s, err
}

// passes reports whether opening an id may succeed later.
func passes(err error) bool {
	return errors.Is(err, txn.ErrFenced) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		kafka.Retriable(err)
}

// moveOn lets the producer send the results that were written after the cut. If the id's partition is
// about to be given back, the member takes another id first. The caller holds
// committer.mu.
func (t *transactions) moveOn(ctx context.Context) {
	if t.holds(t.partition) {
		t.resume()
		return
	}
	t.session = nil
	t.counts.Identified("", 0)
	_, _ = t.ready(ctx, t.kept()) // it reports its errors itself, and the next commit tries again
}

// holds reports whether the member has a partition that it is not giving back.
func (t *transactions) holds(id int32) bool {
	return slices.ContainsFunc(t.roster.partitions(), func(p *partition) bool {
		return p.id == id && !p.inState(closing, released)
	})
}

// kept returns the partitions that have been acquired and are not given back yet.
func (t *transactions) kept() []*partition {
	return slices.DeleteFunc(slices.Clone(t.roster.partitions()), func(p *partition) bool {
		return !p.inState(active, careful, halted, draining)
	})
}

// letGo makes sure that the member does not use the ids of partitions that it gives back.
// Mostly it does not, since their last commit has taken another id, and then a transaction
// that is about to end holds up nothing. The partitions are released, so the member takes
// the id of none of them again.
func (t *transactions) letGo(partitions []int32) {
	if !slices.Contains(partitions, t.idOf.Load()) {
		return
	}
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	if t.session != nil && slices.Contains(partitions, t.partition) && !t.holds(t.partition) {
		// The member starts over if this fails, and then lets go of the id too.
		_ = t.commit(nil)
	}
}

// uses reports whether the member's own session has a partition's id.
func (t *transactions) uses(partition int32) bool {
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	return t.session != nil && t.partition == partition
}

// maxFencing is how many ids are opened at the same time.
const maxFencing = 8

// fence has the coordinator end the transactions that dead owners of partitions have open
// under the partitions' ids. Others wait until such a transaction times out if this fails.
func (t *transactions) fence(ctx context.Context, parts []*partition) {
	slots := make(chan struct{}, maxFencing)
	var fencing sync.WaitGroup
	for _, p := range parts {
		if t.uses(p.id) || p.cancelled.Load() {
			continue
		}
		slots <- struct{}{}
		fencing.Go(func() {
			defer func() { <-slots }()
			if _, err := t.openID(ctx, p.id, noFormer); err != nil {
				t.log.Info("could not end the transaction that a partition's last owner may have left open; it will time out",
					"partition", p.id, "error", err.Error())
			}
		})
	}
	fencing.Wait()
}
