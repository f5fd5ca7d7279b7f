package txn

import (
	"context"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// Offsets are a group member's offsets to commit with the transaction.
type Offsets struct {
	Group, MemberID string
	InstanceID      string // "" for a dynamic member
	Generation      int32
	Topic           string
	Partitions      []Offset
}

// Offset is the offset to commit for one partition.
type Offset struct {
	Partition   int32
	Offset      int64 // of the next record to read
	LeaderEpoch int32 // -1 is unknown
	Metadata    string
}

// CommitOffsets makes offsets part of the transaction. The group's coordinator accepts
// them only under the member's present generation.
//
// A *PartitionsError names the partitions whose offsets the coordinator refuses, with its
// codes: the member may know another generation by now, or the metadata is too large. Those
// of the others are part of the transaction. CommitOffsets tries until ctx is done while a
// coordinator moves. On version 1 a request without an answer is ErrUnknown: if it arrived
// late, it would put old offsets into the next transaction.
func (s *Session) CommitOffsets(ctx context.Context, o Offsets) error {
	const what = "add offsets to the transaction"
	if s.version == 1 {
		if err := s.addGroup(ctx, o.Group); err != nil {
			return s.explain(what, err)
		}
	}
	r := &offsetCommitRequest{producer: s.producer(), Offsets: o}
	if err := persist(ctx, s.asking(s.group(o.Group), r, s.version == 2)); err != nil {
		return s.explain(what, asUnknown(err))
	}
	var failed PartitionsError
	for p, err := range r.answers {
		if err != nil {
			failed.add(TopicPartition{o.Topic, p}, err)
		}
	}
	if len(failed.Failed) > 0 {
		return s.explain(what, &failed)
	}
	return nil
}

// addGroup sends AddOffsetsToTxn, once in a transaction.
func (s *Session) addGroup(ctx context.Context, group string) error {
	s.mu.Lock()
	added := s.offsets[group]
	s.begun = true
	s.mu.Unlock()
	if added {
		return nil
	}
	err := persist(ctx, s.asking(s.at, &addOffsetsRequest{producer: s.producer(), group: group}, true))
	if err != nil {
		return kafka.GroupError(group, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offsets[group] = true
	return nil
}

// group returns the coordinator of a group.
func (s *Session) group(id string) *coordinator {
	at := s.groups[id]
	if at == nil {
		at = &coordinator{client: s.client, kind: ofGroup, key: id, timeout: s.at.timeout}
		s.groups[id] = at
	}
	return at
}

// judge returns the code that concerns the whole request, if there is one. The coordinator
// has the same for all partitions then.
func (r *offsetCommitRequest) judge() error {
	for _, err := range r.answers {
		if reaction, answered := reactionTo(err); answered && reaction != refused {
			return err
		}
	}
	return nil
}
