package txn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// NoProducer is the identity of no producer.
var NoProducer = batch.Identity{ID: -1, Epoch: -1}

// Config sets up a Session.
type Config struct {
	TransactionalID string
	// Timeout is the age at which the coordinator aborts a transaction.
	Timeout time.Duration
	// Former is the last identity of a Session for the same id in this process, or
	// NoProducer. Open then fails with ErrFenced if another producer has got the id since.
	Former batch.Identity
	Logger logr.Logger
}

// TopicPartition is a partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Session is a transactional producer as its coordinator knows it. One transaction
// follows another; each begins by itself with the first partition or offset. Only
// AddPartitions, ID, Identity and Version are safe for concurrent use.
type Session struct {
	cfg     Config
	client  *kafka.Client
	at      *coordinator            // of the transactional id
	groups  map[string]*coordinator // by group id
	version int

	adding chan struct{} // holds a token while AddPartitionsToTxn or AddOffsetsToTxn is under way

	mu       sync.Mutex
	identity batch.Identity          // guarded by mu
	added    map[TopicPartition]bool // version 1: part of the transaction; guarded by mu
	offsets  map[string]bool         // version 1: groups that are part of it; guarded by mu
	begun    bool                    // version 1: the coordinator may have begun it; guarded by mu
}

// requestTimeout bounds a request for transactions of the given timeout: a coordinator that
// does not answer must not use all of it up.
func requestTimeout(timeout time.Duration) time.Duration {
	return min(max(timeout/2, time.Second), kafka.RequestTimeout)
}

// ID returns the transactional id.
func (s *Session) ID() string { return s.cfg.TransactionalID }

// Version returns the version of the transaction protocol: 2 is that of KIP-890.
func (s *Session) Version() int { return s.version }

// Identity returns the identity that the present transaction's records carry. On version 2
// End changes it.
func (s *Session) Identity() batch.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity
}

func (s *Session) log() logr.Logger {
	return s.cfg.Logger.WithValues("transactional id", s.cfg.TransactionalID)
}

func (s *Session) producer() producer { return producer{s.cfg.TransactionalID, s.Identity()} }

// End commits or aborts the transaction. On version 1 it does nothing if no partition and
// no offset was added; on version 2 the caller makes sure that there is something to commit.
//
// Where an answer is lost, version 2 allows to ask again, since each transaction has another
// epoch: End does so until ctx or the transaction's timeout ends. On version 1 a first
// request that arrives late would end the next transaction, so the error is ErrUnknown.
func (s *Session) End(ctx context.Context, commit bool) error {
	if s.version == 1 && !s.hasBegun() {
		return nil
	}
	what := "abort the transaction"
	if commit {
		what = "commit the transaction"
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r := &endRequest{producer: s.producer(), commit: commit}
	err := persist(ctx, s.asking(s.at, r, s.version == 2))
	if s.version == 1 && !commit && errors.Is(err, kafkago.InvalidTransactionState) {
		err = nil // no partition could be added, so there is nothing to abort
	}
	if err != nil {
		return s.explain(what, asUnknown(err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = r.next
	s.begun = false
	clear(s.added)
	clear(s.offsets)
	return nil
}

func (s *Session) hasBegun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.begun
}
