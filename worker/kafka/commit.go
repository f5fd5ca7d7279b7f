package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// ErrMetadataTooLarge says that a commit's metadata is longer than the brokers keep
// with an offset.
var ErrMetadataTooLarge = errors.New("the metadata is too large")

// CommitOffset is what is to be committed for one partition.
type CommitOffset struct {
	// Assignment is the one under which the records were read.
	Assignment *Assignment
	// Offset is that of the next record to be read.
	Offset   int64
	Metadata string
	// LeaderEpoch is that of the last record below Offset; -1 is unknown.
	LeaderEpoch int32
}

// CommitError says which partitions could not be committed. The others of the
// same call were.
type CommitError struct {
	Group, Topic string
	Failed       []FailedCommit
}

// FailedCommit is a partition that could not be committed, and why.
type FailedCommit struct {
	Assignment *Assignment
	Offset     int64
	Err        error
}

// Error implements error.
func (e *CommitError) Error() string {
	var parts []string
	for _, f := range e.Failed {
		parts = append(parts, fmt.Sprintf("partition %d at offset %d: %v", f.Assignment.Partition, f.Offset, f.Err))
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

// Commit commits offsets under assignments that are in force, and under the
// generation the member is in. It tries until ctx is done while the coordinator
// is away or the group rebalances. What could not be committed is in a
// *CommitError; assignments that are over fail with ErrNotOwned.
//
// Once Lost was called for an assignment, or Release has returned, no commit under it
// is under way or will be sent, not even when the partition has come back.
func (m *Member) Commit(ctx context.Context, offsets []CommitOffset) error {
	result := &CommitError{Group: m.cfg.GroupID, Topic: m.cfg.Topic}
	pause := backoff.Backoff{Max: commitRetryMax}
	for {
		pending := m.tryCommit(ctx, offsets, result)
		if len(pending) == 0 {
			break
		}
		if err := pause.Wait(ctx); err != nil {
			for i := range pending {
				pending[i].Err = fmt.Errorf("%w (last: %w)", err, pending[i].Err)
			}
			result.Failed = append(result.Failed, pending...)
			break
		}
		offsets = slices.DeleteFunc(slices.Clone(offsets), func(o CommitOffset) bool {
			return !slices.ContainsFunc(pending, func(f FailedCommit) bool { return f.Assignment == o.Assignment })
		})
	}
	if len(result.Failed) > 0 {
		return result
	}
	return nil
}

// commitRetryMax is the longest wait for the end of a rebalance: partitions that
// are to be released wait for their commit.
const commitRetryMax = 250 * time.Millisecond

// tryCommit sends one request. It returns what has to be tried again and why,
// and adds what can't be committed to result.
func (m *Member) tryCommit(ctx context.Context, offsets []CommitOffset, result *CommitError) (pending []FailedCommit) {
	m.fence.RLock()
	defer m.fence.RUnlock()
	req, sent, refused := m.commitRequest(offsets)
	result.Failed = append(result.Failed, refused...)
	if len(sent) == 0 {
		return nil
	}
	// Bounded, and cut short when everything is lost: giving up partitions
	// waits for the fence.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout/3)
	defer cancel()
	defer context.AfterFunc(m.commits, cancel)()
	answers, err := m.commitOnce(ctx, req)
	for _, o := range sent {
		failed := FailedCommit{Assignment: o.Assignment, Offset: o.Offset, Err: err}
		if err == nil {
			if failed.Err = answers[o.Assignment.Partition]; failed.Err == nil {
				continue
			}
		}
		if again := m.judgeCommit(req, &failed, len(o.Metadata)); again {
			pending = append(pending, failed)
		} else {
			result.Failed = append(result.Failed, failed)
		}
	}
	return pending
}

// commitOnce returns what the coordinator answered for each partition.
func (m *Member) commitOnce(ctx context.Context, req *offsetcommit.Request) (map[int32]error, error) {
	answer, err := m.askGroup(ctx, req)
	if err != nil {
		return nil, err
	}
	answers := make(map[int32]error)
	for _, p := range req.Topics[0].Partitions {
		answers[p.PartitionIndex] = errNoAnswer
	}
	for _, t := range answer.(*offsetcommit.Response).Topics {
		for _, p := range t.Partitions {
			answers[p.PartitionIndex] = errorOf(p.ErrorCode)
		}
	}
	return answers, nil
}

var errNoAnswer = errors.New("the broker's answer does not contain the partition")

// commitRequest makes the request of the offsets whose assignments are in force.
func (m *Member) commitRequest(offsets []CommitOffset) (req *offsetcommit.Request, sent []CommitOffset, refused []FailedCommit) {
	m.mu.Lock()
	defer m.mu.Unlock()
	topic := offsetcommit.RequestTopic{Name: m.cfg.Topic}
	for _, o := range offsets {
		if !m.owns(o.Assignment) {
			refused = append(refused, FailedCommit{o.Assignment, o.Offset, ErrNotOwned})
			continue
		}
		sent = append(sent, o)
		topic.Partitions = append(topic.Partitions, offsetcommit.RequestPartition{
			PartitionIndex: o.Assignment.Partition, CommittedOffset: o.Offset, CommittedLeaderEpoch: o.LeaderEpoch, CommittedMetadata: o.Metadata,
		})
	}
	return &offsetcommit.Request{
		GroupID: m.cfg.GroupID, GenerationID: m.generation, MemberID: m.id, GroupInstanceID: m.cfg.InstanceID,
		RetentionTimeMs: -1, Topics: []offsetcommit.RequestTopic{topic},
	}, sent, refused
}

// judgeCommit reports whether a commit may go through later, and explains why
// not otherwise.
func (m *Member) judgeCommit(req *offsetcommit.Request, failed *FailedCommit, metadata int) (again bool) {
	code, _ := errors.AsType[kafkago.Error](failed.Err)
	switch code {
	case kafkago.RebalanceInProgress, kafkago.IllegalGeneration:
		// Between two generations: Run is about to learn of the next one, or a
		// heartbeat that there is none for this member.
		return true
	case kafkago.UnknownMemberId, kafkago.FencedInstanceID:
		m.expel(&expulsion{req.MemberID, req.GenerationID, failed.Err})
		failed.Err = fmt.Errorf("%w any more: %w", ErrNotOwned, failed.Err)
		return false
	case kafkago.OffsetMetadataTooLarge:
		failed.Err = fmt.Errorf("%w: %d bytes are more than the brokers' offset.metadata.max.bytes allows (%w)",
			ErrMetadataTooLarge, metadata, failed.Err)
		return false
	case kafkago.UnknownTopicOrPartition, kafkago.TopicAuthorizationFailed:
		// Not tried again here, where the other partitions' commits would wait.
		failed.Err = topicError(m.cfg.Topic, "Read", failed.Err)
		return false
	case kafkago.GroupAuthorizationFailed:
		failed.Err = groupError(m.cfg.GroupID, failed.Err)
		return false
	}
	m.moved(failed.Err)
	return retriable(failed.Err) || errors.Is(failed.Err, context.Canceled)
}
