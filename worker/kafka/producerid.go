package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/initproducerid"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// noProducer is the identity before there is one.
var noProducer = batch.Identity{ID: -1, Epoch: -1}

// producerIDs holds the identity that a Producer writes with.
type producerIDs struct {
	mu      sync.Mutex
	current batch.Identity // guarded by mu
}

// identity returns the identity to start a partition's sequence with, and asks
// the cluster for one if there is none or it was given up. It tries until it
// has one or ctx is done.
func (p *Producer) identity(ctx context.Context) (batch.Identity, error) {
	// Who else needs it waits for the same answer.
	p.ids.mu.Lock()
	defer p.ids.mu.Unlock()
	var pause backoff.Backoff
	for troubled := false; p.ids.current == noProducer; {
		err := p.initProducerID(ctx)
		p.tries.Add(1)
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			return noProducer, ctx.Err()
		}
		if !Retriable(err) {
			p.fatal(err)
		} else if !troubled {
			p.log.Info("no producer id can be had, will be retried", "error", err.Error())
		}
		troubled = true
		if err := pause.Wait(ctx); err != nil {
			return noProducer, err
		}
	}
	return p.ids.current, nil
}

// initProducerID asks any broker for a new identity. Needs ids.mu.
func (p *Producer) initProducerID(ctx context.Context) error {
	res, err := p.client.Ask(ctx, AnyBroker, &initproducerid.Request{ProducerID: -1, ProducerEpoch: -1})
	if err != nil {
		return err
	}
	answer := res.(*initproducerid.Response)
	switch err := wire.ErrorOf(answer.ErrorCode); {
	case errors.Is(err, kafkago.ClusterAuthorizationFailed):
		return fmt.Errorf("get a producer id: %w: allow this user the operation Write on the topics, or IdempotentWrite on the cluster (%w)",
			ErrNotAuthorized, err)
	case err != nil:
		return fmt.Errorf("get a producer id: %w", err)
	}
	p.ids.current = batch.Identity{ID: answer.ProducerID, Epoch: answer.ProducerEpoch}
	return nil
}

// forget gives up an identity that a broker does not accept any more. Partitions
// whose sequences run under it go on with it until they are refused too.
func (p *producerIDs) forget(refused batch.Identity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == refused {
		p.current = noProducer
	}
}
