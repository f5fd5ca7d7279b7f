package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
)

// CommitOffset is what is to be committed for one partition.
type CommitOffset struct {
	Partition int32
	// Offset is that of the next record to be read.
	Offset   int64
	Metadata string
}

// CommitError says which partitions could not be committed. The others were.
type CommitError struct {
	Group, Topic string
	Failed       []FailedCommit
}

// FailedCommit is a partition that could not be committed, and why.
type FailedCommit struct {
	Partition int32
	Offset    int64
	Err       error
}

// Error implements error.
func (e *CommitError) Error() string {
	var parts []string
	for _, f := range e.Failed {
		parts = append(parts, fmt.Sprintf("partition %d at offset %d: %v", f.Partition, f.Offset, f.Err))
	}
	return fmt.Sprintf("commit of group %q, topic %q: %s", e.Group, e.Topic, strings.Join(parts, "; "))
}

// Unwrap returns the partitions' errors.
func (e *CommitError) Unwrap() []error {
	var errs []error
	for _, f := range e.Failed {
		errs = append(errs, f.Err)
	}
	return errs
}

// Commit commits offsets of partitions that the member owns, under the
// generation it is in. It tries until ctx is done while the coordinator is away
// or the group rebalances. Partitions that are not owned fail with ErrNotOwned,
// in a *CommitError.
//
// Once Lost was called for a partition, or Release has returned, no commit of it
// is under way or will be.
func (m *Member) Commit(ctx context.Context, offsets []CommitOffset) error {
	result := &CommitError{Group: m.cfg.GroupID, Topic: m.cfg.Topic}
	var pause backoff
	for len(offsets) > 0 {
		again, err := m.tryCommit(ctx, offsets, result)
		if err != nil {
			if !retriable(err) || ctx.Err() != nil {
				return fmt.Errorf("commit of group %q: %w", m.cfg.GroupID, err)
			}
			again = offsets
		}
		if offsets = again; len(offsets) == 0 {
			break
		}
		if waitErr := pause.wait(ctx); waitErr != nil {
			return fmt.Errorf("commit of group %q: %w", m.cfg.GroupID, errors.Join(err, waitErr))
		}
	}
	if len(result.Failed) > 0 {
		return result
	}
	return nil
}

// tryCommit sends one request. It returns what has to be tried again, and adds
// what can't be committed to result.
func (m *Member) tryCommit(ctx context.Context, offsets []CommitOffset, result *CommitError) (again []CommitOffset, err error) {
	m.fence.RLock()
	defer m.fence.RUnlock()
	req, sent, refused := m.commitRequest(offsets)
	for _, o := range refused {
		result.Failed = append(result.Failed, FailedCommit{o.Partition, o.Offset, ErrNotOwned})
	}
	if len(sent) == 0 {
		return nil, nil
	}
	// Bounded, since giving up partitions waits for the fence.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout/3)
	defer cancel()
	answer, err := m.askGroup(ctx, req)
	if err != nil {
		return sent, err
	}
	for _, t := range answer.(*offsetcommit.Response).Topics {
		for _, p := range t.Partitions {
			i := slices.IndexFunc(sent, func(o CommitOffset) bool { return o.Partition == p.PartitionIndex })
			err := errorOf(p.ErrorCode)
			switch {
			case i < 0 || err == nil:
			case m.passes(err):
				again = append(again, sent[i])
			default:
				result.Failed = append(result.Failed, FailedCommit{sent[i].Partition, sent[i].Offset, commitFault(err, sent[i])})
			}
		}
	}
	return again, nil
}

// commitRequest makes the request of what is owned.
func (m *Member) commitRequest(offsets []CommitOffset) (req *offsetcommit.Request, sent, refused []CommitOffset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	topic := offsetcommit.RequestTopic{Name: m.cfg.Topic}
	for _, o := range offsets {
		if _, ok := m.owned[o.Partition]; !ok {
			refused = append(refused, o)
			continue
		}
		sent = append(sent, o)
		topic.Partitions = append(topic.Partitions, offsetcommit.RequestPartition{
			PartitionIndex: o.Partition, CommittedOffset: o.Offset, CommittedLeaderEpoch: -1, CommittedMetadata: o.Metadata,
		})
	}
	return &offsetcommit.Request{
		GroupID: m.cfg.GroupID, GenerationID: m.generation, MemberID: m.id, GroupInstanceID: m.cfg.InstanceID,
		RetentionTimeMs: -1, Topics: []offsetcommit.RequestTopic{topic},
	}, sent, refused
}

// passes reports whether a commit may go through later: the coordinator moves,
// or the group is between two generations. A member that was thrown out learns
// that by its heartbeat, and is refused by ErrNotOwned then.
func (m *Member) passes(err error) bool {
	code, _ := err.(kafkago.Error) //nolint:errorlint // a bare code
	switch code {
	case kafkago.RebalanceInProgress, kafkago.IllegalGeneration, kafkago.UnknownMemberId:
		return true
	}
	return m.moved(err) || retriable(err)
}

func commitFault(err error, o CommitOffset) error {
	if errors.Is(err, kafkago.OffsetMetadataTooLarge) {
		return fmt.Errorf("%d bytes of metadata; raise the brokers' offset.metadata.max.bytes to 4096: %w", len(o.Metadata), err)
	}
	return err
}
