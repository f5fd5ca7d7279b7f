package txn

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Open gets an identity from the coordinator of the transactional id. This ends the
// transaction that the id may have open, and fences all requests under earlier identities.
// Open tries until it succeeds, ctx is done, or the cluster refuses it.
//
// With cfg.Former, Open continues a session of this process. It fails with ErrFenced if the
// coordinator has given the id to another producer, or has ended the former session's
// transaction because of its timeout.
func Open(ctx context.Context, c *kafka.Client, cfg Config) (*Session, error) {
	s := &Session{
		cfg: cfg, client: c, version: 1,
		at:      &coordinator{client: c, kind: ofTransaction, key: cfg.TransactionalID, timeout: requestTimeout(cfg.Timeout)},
		groups:  make(map[string]*coordinator),
		adding:  make(chan struct{}, 1),
		added:   make(map[TopicPartition]bool),
		offsets: make(map[string]bool),
	}
	former, err := s.endFormer(ctx)
	if err == nil {
		s.identity, err = s.init(ctx, former)
	}
	if err != nil {
		return nil, s.explain("get a producer's identity", err)
	}
	return s, nil
}

// endFormer aborts the former session's transaction, if it is open, and returns the
// identity to continue. InitProducerId would end an open transaction as well, but without a
// look at the epoch: it ends that of a successor too. And its own transaction it ends by
// fencing it, so that the second attempt, which the coordinator asks for, is refused.
func (s *Session) endFormer(ctx context.Context) (batch.Identity, error) {
	former := s.cfg.Former
	if former.ID < 0 {
		return NoProducer, nil
	}
	if err := s.decideVersion(ctx); err != nil {
		return former, err
	}
	r := &endRequest{producer: producer{s.cfg.TransactionalID, former}}
	err := persist(ctx, s.asking(s.at, r, true))
	if err == nil {
		return r.next, nil
	}
	switch {
	case errors.Is(err, kafkago.ProducerFenced), errors.Is(err, kafkago.InvalidProducerEpoch):
		return former, fmt.Errorf("%w (%w)", ErrFenced, err)
	case errors.Is(err, ErrUnsupported), ctx.Err() != nil:
		return former, err
	}
	// There is nothing to abort, or InitProducerId will be refused as well.
	return former, nil
}

// init sends InitProducerId.
func (s *Session) init(ctx context.Context, former batch.Identity) (batch.Identity, error) {
	if err := s.decideVersion(ctx); err != nil {
		return NoProducer, err
	}
	r := &initRequest{transactionalID: s.cfg.TransactionalID, timeout: s.cfg.Timeout, former: former}
	c := s.asking(s.at, r, true)
	c.insist = true
	err := persist(ctx, c)
	if reaction, answered := reactionTo(err); answered && reaction == aborted {
		// Brokers before Kafka 2.7 say so with the code of an old epoch.
		err = fmt.Errorf("%w (%w)", ErrFenced, err)
	}
	if err != nil {
		return NoProducer, err
	}
	return r.identity, nil
}

// decideVersion looks up the coordinator and decides on the version of the protocol.
func (s *Session) decideVersion(ctx context.Context) error {
	var versions *brokerVersions
	err := persist(ctx, call{at: s.at, what: "look-up", log: s.log(), insist: true, do: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, s.at.timeout)
		defer cancel()
		var err error
		if _, versions, err = s.at.lookUp(ctx); err != nil {
			return &lostError{err: err}
		}
		return nil
	}})
	if err != nil {
		return err
	}
	s.version = versions.protocolVersion()
	for _, a := range []api{initProducerID, addPartitionsToTxn, addOffsetsToTxn, txnOffsetCommit, endTxn} {
		if _, ok := versions.choose(a, s.version); !ok {
			return tooOldFor(a)
		}
	}
	return nil
}
