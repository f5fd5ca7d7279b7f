package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// Errors for errors.Is. An error that wraps one of them names the topic, group or
// addresses and a remedy.
var (
	// ErrTopicNotFound: the cluster says that the topic does not exist. Just
	// after its creation that may be true of some brokers only.
	ErrTopicNotFound = errors.New("topic not found")
	// ErrNotAuthorized: the cluster's ACLs do not allow the operation.
	ErrNotAuthorized = errors.New("not authorised")
	// ErrUnreachable: none of the bootstrap servers can be used.
	ErrUnreachable = errors.New("no Kafka broker can be reached")
)

// Retriable reports whether the same request may succeed later by itself: network errors,
// timeouts, leaders and coordinators that move.
//
// A missing topic is retriable, as in Kafka's own clients, because metadata takes time to
// spread. A caller that can't wait checks for ErrTopicNotFound first. A deadline is
// retriable since it may be the request's: a caller checks its context too.
func Retriable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if refused, ok := errors.AsType[interface {
		error
		permanent() bool
	}](err); ok {
		return !refused.permanent()
	}
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return retriableCode(code)
	}
	return errors.Is(err, context.DeadlineExceeded) || brokenConnection(err)
}

func retriableCode(code kafkago.Error) bool {
	switch code {
	case kafkago.InvalidMessage, // a batch damaged on its way
		kafkago.UnknownTopicOrPartition,
		kafkago.LeaderNotAvailable,
		kafkago.NotLeaderForPartition,
		kafkago.RequestTimedOut,
		kafkago.BrokerNotAvailable, // kafka-go's own, for an id its layout does not have yet
		kafkago.ReplicaNotAvailable,
		kafkago.NetworkException,
		kafkago.GroupLoadInProgress,
		kafkago.GroupCoordinatorNotAvailable,
		kafkago.NotCoordinatorForGroup,
		kafkago.NotEnoughReplicas,
		kafkago.NotEnoughReplicasAfterAppend,
		kafkago.NotController,
		kafkago.ConcurrentTransactions,
		kafkago.KafkaStorageError,
		kafkago.ListenerNotFound,
		kafkago.FencedLeaderEpoch,
		kafkago.UnknownLeaderEpoch,
		kafkago.OffsetNotAvailable,
		kafkago.PreferredLeaderNotAvailable,
		kafkago.EligibleLeadersNotAvailable,
		kafkago.UnstableOffsetCommit,
		kafkago.ThrottlingQuotaExceeded,
		kafkago.UnknownTopicID,
		kafkago.InconsistentTopicID:
		return true
	default:
		return false
	}
}

// Passing reports whether an error may go away by itself: no broker answers, or leaders
// and coordinators are being elected. A refusal by the cluster lasts, and so does a
// missing topic: its name is probably misspelt.
func Passing(err error) bool { return Retriable(err) && !errors.Is(err, ErrTopicNotFound) }

// StaleLeader reports whether err says that the cached leader of a partition is
// not its leader any more: forgetLeaders is due.
func StaleLeader(err error) bool {
	code, ok := errors.AsType[kafkago.Error](err)
	if !ok {
		return false
	}
	switch code {
	case kafkago.NotLeaderForPartition, kafkago.LeaderNotAvailable, kafkago.ReplicaNotAvailable,
		kafkago.BrokerNotAvailable, kafkago.UnknownTopicOrPartition, kafkago.KafkaStorageError,
		kafkago.FencedLeaderEpoch, kafkago.UnknownLeaderEpoch, kafkago.UnknownTopicID,
		kafkago.InconsistentTopicID:
		return true
	default:
		return false
	}
}

// TopicError explains a broker's answer about a topic. operation is the ACL operation
// that the request needs: Read, Write, Describe or Create. The result wraps err and,
// where one fits, a sentinel of this package.
func TopicError(topic, operation string, err error) error {
	code, ok := errors.AsType[kafkago.Error](err)
	if !ok {
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	switch code {
	case kafkago.UnknownTopicOrPartition:
		return fmt.Errorf("topic %q: %w: create it, or correct its name (%w)", topic, ErrTopicNotFound, err)
	case kafkago.TopicAuthorizationFailed:
		return fmt.Errorf("topic %q: %w: allow this user the operation %s on it (%w)", topic, ErrNotAuthorized, operation, err)
	case kafkago.ClusterAuthorizationFailed:
		return fmt.Errorf("topic %q: %w: allow this user the operation %s on the cluster (%w)", topic, ErrNotAuthorized, operation, err)
	case kafkago.InvalidTopic:
		return fmt.Errorf("topic %q: not a valid name: use letters, digits, '.', '_' and '-', at most 249 of them (%w)", topic, err)
	default:
		return fmt.Errorf("topic %q: %w", topic, err)
	}
}

// GroupError explains a broker's answer about a consumer group.
func GroupError(group string, err error) error {
	if errors.Is(err, kafkago.GroupAuthorizationFailed) {
		return fmt.Errorf("consumer group %q: %w: allow this user the operation Read on it (%w)", group, ErrNotAuthorized, err)
	}
	return fmt.Errorf("consumer group %q: %w", group, err)
}

// MovedGroup reports whether an answer says that a group's coordinator is, or is
// about to be, elsewhere.
func MovedGroup(err error) bool {
	code, _ := errors.AsType[kafkago.Error](err)
	switch code {
	case kafkago.NotCoordinatorForGroup, kafkago.GroupCoordinatorNotAvailable, kafkago.GroupLoadInProgress:
		return true
	default:
		return false
	}
}

// Refused reports whether err stays the same until somebody changes a configuration: the
// cluster does not accept the credentials or the certificate, its certificate is not
// accepted, or it forbids the request.
func Refused(err error) bool {
	if errors.Is(err, ErrNotAuthorized) {
		return true
	}
	refused, ok := errors.AsType[interface {
		error
		permanent() bool
	}](err)
	return ok && refused.permanent()
}
