package group

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// CommitIn makes offsets part of a session's transaction, which replace the group's when it
// is committed. It is like Commit otherwise. An error that wraps one of package txn's means
// that the transaction can't be committed; a request that may have been received is not
// repeated unless the session may do so.
func (m *Member) CommitIn(ctx context.Context, s *txn.Session, offsets []CommitOffset) error {
	return m.committer.commit(ctx, offsets, func(ctx context.Context, as identity, offsets []CommitOffset) (map[int32]error, error) {
		return m.committer.sendIn(ctx, s, as, offsets)
	})
}

// sendIn is the sender of a TxnOffsetCommit request.
func (c *committer) sendIn(ctx context.Context, s *txn.Session, as identity, offsets []CommitOffset) (map[int32]error, error) {
	o := txn.Offsets{
		Group: c.cfg.GroupID, MemberID: as.member, InstanceID: c.cfg.InstanceID, Generation: as.generation, Topic: c.cfg.Topic,
	}
	for _, offset := range offsets {
		o.Partitions = append(o.Partitions, txn.Offset{
			Partition: offset.Assignment.Partition, Offset: offset.Offset, LeaderEpoch: offset.LeaderEpoch, Metadata: offset.Metadata,
		})
	}
	err := s.CommitOffsets(ctx, o)
	refused, ok := errors.AsType[*txn.PartitionsError](err)
	if !ok {
		return nil, err
	}
	answers := make(map[int32]error)
	for p, err := range refused.Failed {
		answers[p.Partition] = err
	}
	return answers, nil
}

// endsSession reports whether an error of a transaction is final.
func endsSession(err error) bool {
	for _, end := range []error{txn.ErrFenced, txn.ErrAborted, txn.ErrUnknown, txn.ErrUnsupported, kafka.ErrNotAuthorized} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}
