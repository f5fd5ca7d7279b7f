package txn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// Errors for errors.Is. After each of them the session is over.
var (
	// ErrFenced: the coordinator has given the transactional id to another producer, or
	// has ended the transaction after its timeout. Open without Config.Former takes the
	// id back, which only its owner may do.
	ErrFenced = errors.New("fenced: another producer has this transactional id, or the transaction has timed out")
	// ErrAborted: the transaction can't be committed any more.
	ErrAborted = errors.New("the cluster has aborted or refuses the transaction")
	// ErrUnknown: the cluster may have done the request, or may still do it.
	ErrUnknown = errors.New("the outcome is not known")
	// ErrUnsupported: a broker is too old for transactions.
	ErrUnsupported = errors.New("the brokers are too old for exactly-once delivery: Kafka 2.5 is needed")
)

// Codes of the protocol that kafka-go does not name.
const (
	operationNotAttempted kafkago.Error = 55
	transactionAbortable  kafkago.Error = 120
)

// reaction is what a Session does about an error code of a broker.
type reaction int

const (
	// doubt: nothing is known about the code, so the request may be done or not.
	doubt reaction = iota
	// again: the broker has not done it yet. The same request may succeed soon.
	again
	// moved: the coordinator is elsewhere, or is about to be.
	moved
	fenced
	aborted
	tooOld
	// refused: nothing was done, and the same request will be refused again.
	refused
)

// reactions says what each code means, in all of the protocol's answers.
var reactions = map[kafkago.Error]reaction{
	kafkago.ConcurrentTransactions: again, // the last transaction's markers are being written

	kafkago.GroupLoadInProgress:          moved,
	kafkago.GroupCoordinatorNotAvailable: moved, // also when the coordinator's log has too few replicas
	kafkago.NotCoordinatorForGroup:       moved,

	kafkago.ProducerFenced:           fenced,
	kafkago.InvalidProducerEpoch:     aborted,
	kafkago.InvalidProducerIDMapping: aborted, // the coordinator has forgotten the id
	kafkago.UnknownProducerId:        aborted,
	kafkago.InvalidTransactionState:  aborted,
	transactionAbortable:             aborted,

	kafkago.UnsupportedVersion:          tooOld,
	kafkago.UnsupportedForMessageFormat: tooOld,

	kafkago.TransactionalIDAuthorizationFailed: refused,
	kafkago.InvalidTransactionTimeout:          refused,
	kafkago.GroupAuthorizationFailed:           refused,
	kafkago.TopicAuthorizationFailed:           refused,
	kafkago.InvalidRequest:                     refused,
	// Of partitions.
	kafkago.UnknownTopicOrPartition: refused,
	operationNotAttempted:           refused,
	kafkago.OffsetMetadataTooLarge:  refused,
	// Of the group member. Its owner may know another generation by now.
	kafkago.RebalanceInProgress: refused,
	kafkago.IllegalGeneration:   refused,
	kafkago.UnknownMemberId:     refused,
	kafkago.FencedInstanceID:    refused,
}

func tooOldFor(a api) error {
	return fmt.Errorf("%w: a broker does not know version %d of the %s request", ErrUnsupported, a.oldest, a.key)
}

// reactionTo returns the reaction to an error that came from a broker; ok is false for all
// other errors.
func reactionTo(err error) (r reaction, ok bool) {
	code, ok := errors.AsType[kafkago.Error](err)
	return reactions[code], ok
}

// explain adds to the final error of a request what it means and what to do.
func (s *Session) explain(what string, err error) error {
	return fmt.Errorf("transactional id %q: %s: %w", s.cfg.TransactionalID, what, s.meaning(err))
}

func (s *Session) meaning(err error) error {
	r, answered := reactionTo(err)
	switch {
	case errors.Is(err, kafkago.TransactionalIDAuthorizationFailed):
		return fmt.Errorf("%w: allow this user the operations Write and Describe on it (%w)", kafka.ErrNotAuthorized, err)
	case errors.Is(err, kafkago.InvalidTransactionTimeout):
		return fmt.Errorf("the brokers do not allow a transaction timeout of %v: choose a shorter one, "+
			"or raise their transaction.max.timeout.ms (%w)", s.cfg.Timeout, err)
	case !answered, errors.Is(err, ErrFenced):
		return err
	case r == fenced:
		return fmt.Errorf("%w (%w)", ErrFenced, err)
	case r == aborted:
		return fmt.Errorf("%w (%w)", ErrAborted, err)
	case r == tooOld:
		return fmt.Errorf("%w (%w)", ErrUnsupported, err)
	case r == doubt && !errors.Is(err, ErrUnknown):
		return fmt.Errorf("%w (%w)", ErrUnknown, err)
	}
	return err
}

// lostError is the error of a request that got no answer.
type lostError struct {
	err  error
	sent bool // the broker may have got it, or may still get it
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// maybeDone reports whether a request that failed may be done nevertheless, or may still
// be done: also where the coordinator has lost its place, or says that it is at it.
func maybeDone(err error) bool {
	if lost, ok := errors.AsType[*lostError](err); ok {
		return lost.sent
	}
	r, ok := reactionTo(err)
	return ok && (r == doubt || r == again || r == moved)
}

// asUnknown makes the error of a request an ErrUnknown if it may be done.
func asUnknown(err error) error {
	if maybeDone(err) {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}

// PartitionsError names the partitions that are not part of the transaction, or whose
// offsets are not. The others of the same call are.
type PartitionsError struct {
	Failed map[TopicPartition]error
}

// Error implements error.
func (e *PartitionsError) Error() string {
	var parts []string
	for p, err := range e.Failed {
		parts = append(parts, fmt.Sprintf("partition %d of topic %q: %v", p.Partition, p.Topic, err))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// Unwrap returns the partitions' errors.
func (e *PartitionsError) Unwrap() []error {
	var errs []error
	for _, err := range e.Failed {
		errs = append(errs, err)
	}
	return errs
}

func (e *PartitionsError) add(p TopicPartition, err error) {
	if e.Failed == nil {
		e.Failed = make(map[TopicPartition]error)
	}
	e.Failed[p] = err
}
