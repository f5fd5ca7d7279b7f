package group

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
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// ErrMetadataTooLarge says that a commit's metadata is longer than the brokers keep
// with an offset.
var ErrMetadataTooLarge = errors.New("the metadata is too large")

// CommitOffset is the offset to commit for one partition.
type CommitOffset struct {
	// Assignment is the one under which the member read the records.
	Assignment *Assignment
	// Offset is the offset of the next record to read.
	Offset   int64
	Metadata string
	// LeaderEpoch is the epoch of the last record below Offset; -1 is unknown.
	LeaderEpoch int32
}

// CommitError names the partitions that could not be committed. The others of the
// same call are committed.
type CommitError struct {
	Group, Topic string
	Failed       []FailedCommit
}

// FailedCommit is a partition that could not be committed, and the reason.
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
// member's generation. It tries until ctx is done while the coordinator is away or
// the group rebalances. A *CommitError names the partitions that could not be
// committed; assignments that are over fail with ErrNotOwned.
//
// Once Lost was called for an assignment, or Release has returned, no commit under it
// is under way or will be sent, not even when the partition has come back.
func (m *Member) Commit(ctx context.Context, offsets []CommitOffset) error {
	return m.committer.commit(ctx, offsets, m.committer.send)
}

// committer commits a member's offsets. It is safe for concurrent use.
type committer struct {
	cfg   Config
	group *coordinator
	state *state
}

// commitRetryMax is the longest wait for the end of a rebalance: partitions that
// the member is to release wait for their commit.
const commitRetryMax = 250 * time.Millisecond

// identity is a member's id and the generation that it knows.
type identity struct {
	member     string
	generation int32
}

// sender sends offsets to the coordinator once, and returns its response for each
// partition.
type sender func(ctx context.Context, as identity, offsets []CommitOffset) (map[int32]error, error)

func (c *committer) commit(ctx context.Context, offsets []CommitOffset, send sender) error {
	result := &CommitError{Group: c.cfg.GroupID, Topic: c.cfg.Topic}
	pause := backoff.Backoff{Max: commitRetryMax}
	for {
		pending := c.tryAll(ctx, offsets, send, result)
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

// tryAll sends the offsets in as many requests as they need, and does what try does.
func (c *committer) tryAll(ctx context.Context, offsets []CommitOffset, send sender, result *CommitError) (pending []FailedCommit) {
	for len(offsets) > 0 {
		n := c.fitting(offsets)
		pending = append(pending, c.try(ctx, offsets[:n], send, result)...)
		offsets = offsets[n:]
		if failed := len(result.Failed); failed > 0 && endsSession(result.Failed[failed-1].Err) {
			for _, o := range offsets {
				result.Failed = append(result.Failed, FailedCommit{o.Assignment, o.Offset, result.Failed[failed-1].Err})
			}
			break
		}
	}
	return pending
}

// A coordinator writes the offsets of a request as one batch, and fails all of them if it is
// larger than a batch may be: 1 MiB by default (message.max.bytes).
const (
	maxRequestBytes = 256 << 10
	offsetOverhead  = 64 // of one offset in the batch, beside the names and the metadata
)

// fitting returns how many of the offsets go in one request: one at least.
func (c *committer) fitting(offsets []CommitOffset) int {
	size := 0
	for n, o := range offsets {
		size += offsetOverhead + len(c.cfg.GroupID) + len(c.cfg.Topic) + len(o.Metadata)
		if size > maxRequestBytes && n > 0 {
			return n
		}
	}
	return len(offsets)
}

// try sends one request. It returns the commits to try again, with their errors, and
// adds those that can't succeed to result.
func (c *committer) try(ctx context.Context, offsets []CommitOffset, send sender, result *CommitError) (pending []FailedCommit) {
	c.state.fence.RLock()
	defer c.state.fence.RUnlock()
	sent, refused, as := c.state.splitOwned(offsets)
	result.Failed = append(result.Failed, refused...)
	if len(sent) == 0 {
		return nil
	}
	// Giving up partitions waits for the fence. So the request is bounded, and cut
	// short when the member loses everything.
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	defer context.AfterFunc(c.state.commits, cancel)()
	answers, err := send(ctx, as, sent)
	for _, o := range sent {
		failed := FailedCommit{Assignment: o.Assignment, Offset: o.Offset, Err: err}
		if err == nil {
			if failed.Err = answers[o.Assignment.Partition]; failed.Err == nil {
				continue
			}
		}
		if again := c.judge(as, &failed, len(o.Metadata)); again {
			pending = append(pending, failed)
		} else {
			result.Failed = append(result.Failed, failed)
		}
	}
	return pending
}

// send is the sender of an OffsetCommit request.
func (c *committer) send(ctx context.Context, as identity, offsets []CommitOffset) (map[int32]error, error) {
	answer, err := c.group.ask(ctx, c.request(as, offsets))
	if err != nil {
		return nil, err
	}
	answers := make(map[int32]error)
	for _, o := range offsets {
		answers[o.Assignment.Partition] = wire.ErrOmitted
	}
	for _, t := range answer.(*offsetcommit.Response).Topics {
		for _, p := range t.Partitions {
			answers[p.PartitionIndex] = wire.ErrorOf(p.ErrorCode)
		}
	}
	return answers, nil
}

func (c *committer) request(as identity, offsets []CommitOffset) *offsetcommit.Request {
	topic := offsetcommit.RequestTopic{Name: c.cfg.Topic}
	for _, o := range offsets {
		topic.Partitions = append(topic.Partitions, offsetcommit.RequestPartition{
			PartitionIndex: o.Assignment.Partition, CommittedOffset: o.Offset, CommittedLeaderEpoch: o.LeaderEpoch, CommittedMetadata: o.Metadata,
		})
	}
	return &offsetcommit.Request{
		GroupID: c.cfg.GroupID, GenerationID: as.generation, MemberID: as.member, GroupInstanceID: c.cfg.InstanceID,
		RetentionTimeMs: -1, Topics: []offsetcommit.RequestTopic{topic},
	}
}

// judge reports whether a failed commit may succeed later. If not, it makes the
// error explain why.
func (c *committer) judge(as identity, failed *FailedCommit, metadata int) (again bool) {
	if endsSession(failed.Err) {
		return false
	}
	code, _ := errors.AsType[kafkago.Error](failed.Err)
	switch code {
	case kafkago.RebalanceInProgress, kafkago.IllegalGeneration:
		// Between two generations. The joiner is about to learn the next one, or a
		// heartbeat finds that this member is not in it.
		return true
	case kafkago.UnknownMemberId, kafkago.FencedInstanceID:
		c.state.expel(&expulsion{as.member, as.generation, failed.Err})
		failed.Err = fmt.Errorf("%w any more: %w", ErrNotOwned, failed.Err)
		return false
	case kafkago.OffsetMetadataTooLarge:
		failed.Err = fmt.Errorf("%w: %d bytes are more than the brokers' offset.metadata.max.bytes allows (%w)",
			ErrMetadataTooLarge, metadata, failed.Err)
		return false
	case kafkago.UnknownTopicOrPartition, kafkago.TopicAuthorizationFailed:
		// A retry here would delay the other partitions' commits.
		failed.Err = kafka.TopicError(c.cfg.Topic, "Read", failed.Err)
		return false
	case kafkago.GroupAuthorizationFailed:
		failed.Err = kafka.GroupError(c.cfg.GroupID, failed.Err)
		return false
	}
	c.group.noteError(failed.Err)
	return kafka.Retriable(failed.Err) || errors.Is(failed.Err, context.Canceled)
}
