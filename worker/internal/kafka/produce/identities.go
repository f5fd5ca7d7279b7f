package produce

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/initproducerid"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/internal/signal"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// noProducer is the identity before there is one.
var noProducer = batch.Identity{ID: -1, Epoch: -1}

// identities gets the identity that a Producer writes with. It is safe for concurrent
// use.
type identities struct {
	client *kafka.Client
	log    logr.Logger
	fatal  *fatalErrors
	tries  *atomic.Uint64

	mu      signal.Lock    // held while the cluster is asked
	current batch.Identity // guarded by mu
}

func (ids *identities) init(c *kafka.Client, log logr.Logger, fatal *fatalErrors, tries *atomic.Uint64) {
	ids.client, ids.log, ids.fatal, ids.tries = c, log, fatal, tries
	ids.mu, ids.current = signal.NewLock(), noProducer
}

// get returns the identity to start a partition's sequence with, and asks the cluster
// for one if there is none or it was given up. It tries until it has one or ctx is
// done.
func (ids *identities) get(ctx context.Context) (batch.Identity, error) {
	// All callers wait for the same response.
	ids.mu.Lock()
	defer ids.mu.Unlock()
	var pause backoff.Backoff
	var failing trouble.Streak
	for ids.current == noProducer {
		err := ids.ask(ctx)
		ids.tries.Add(1)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return noProducer, ctx.Err()
		}
		if first := failing.Failed("", 0); !kafka.Retriable(err) {
			ids.fatal.add(err)
		} else if first {
			ids.log.Info("the cluster gives no producer id, will be retried", "error", err.Error())
		}
		if err := pause.Wait(ctx); err != nil {
			return noProducer, err
		}
	}
	return ids.current, nil
}

// ask asks any broker for a new identity. Needs mu.
func (ids *identities) ask(ctx context.Context) error {
	res, err := ids.client.Ask(ctx, kafka.AnyBroker, &initproducerid.Request{ProducerID: -1, ProducerEpoch: -1})
	if err != nil {
		return err
	}
	answer := res.(*initproducerid.Response)
	switch err := wire.ErrorOf(answer.ErrorCode); {
	case errors.Is(err, kafkago.ClusterAuthorizationFailed):
		return fmt.Errorf("get a producer id: %w: allow this user the operation Write on the topics, or IdempotentWrite on the cluster (%w)",
			kafka.ErrNotAuthorized, err)
	case err != nil:
		return fmt.Errorf("get a producer id: %w", err)
	}
	ids.current = batch.Identity{ID: answer.ProducerID, Epoch: answer.ProducerEpoch}
	return nil
}

// forget gives up an identity that a broker does not accept any more. Partitions
// with sequences under it use it until brokers refuse them too.
func (ids *identities) forget(refused batch.Identity) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.current == refused {
		ids.current = noProducer
	}
}

// startOver gives a queue a new sequence under a new identity. The caller gives up the
// first batch, which may be stored or not: under the old sequence the broker could
// take the next batch for it.
func (ids *identities) startOver(q *partitionQueue) {
	ids.forget(q.producer)
	q.producer = noProducer
}
