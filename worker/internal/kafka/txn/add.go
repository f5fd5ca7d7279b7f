package txn

import (
	"cmp"
	"context"
	"errors"
	"slices"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/kafka"
)

type topicPartitions struct {
	topic      string
	partitions []int32
}

// AddPartitions makes partitions part of the transaction. Version 1 asks for it before records
// are written to them; on version 2 the brokers add them by themselves, if that was not done
// before. It does nothing for partitions that it has added to the transaction. It tries until
// ctx is done while the coordinator can't say.
//
// If the coordinator refuses some partitions, the others are added and the error is a
// *PartitionsError. It is safe for concurrent use.
func (s *Session) AddPartitions(ctx context.Context, partitions []TopicPartition) error {
	if len(s.missing(partitions)) == 0 {
		return nil
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.leave()
	var failed PartitionsError
	for missing := s.missing(partitions); len(missing) > 0; {
		refused, err := s.addPartitions(ctx, missing)
		if err != nil {
			return s.explain("add partitions to the transaction", err)
		}
		if len(refused) == 0 {
			break
		}
		for p, err := range refused {
			failed.add(p, err)
		}
		// The coordinator adds all or none.
		missing = slices.DeleteFunc(missing, func(p TopicPartition) bool { return refused[p] != nil })
	}
	if len(failed.Failed) > 0 {
		return s.explain("add partitions to the transaction", &failed)
	}
	return nil
}

// addPartitions adds all partitions, or returns those because of which none was added.
func (s *Session) addPartitions(ctx context.Context, partitions []TopicPartition) (refused map[TopicPartition]error, err error) {
	s.begin()
	r := &addPartitionsRequest{producer: s.producer(), topics: byTopic(partitions)}
	if err := persist(ctx, s.asking(s.at, r, true)); err != nil {
		return nil, err
	}
	if len(r.refused) > 0 {
		return r.refused, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range partitions {
		s.added[p] = true
	}
	return nil, nil
}

// missing returns the partitions that are not part of the transaction.
func (s *Session) missing(partitions []TopicPartition) []TopicPartition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []TopicPartition
	for _, p := range partitions {
		if !s.added[p] {
			missing = append(missing, p)
		}
	}
	return missing
}

// begin notes that the coordinator may begin the transaction.
func (s *Session) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = true
}

// enter waits until no other request adds to the transaction.
func (s *Session) enter(ctx context.Context) error {
	select {
	case s.adding <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Session) leave() { <-s.adding }

func byTopic(partitions []TopicPartition) []topicPartitions {
	sorted := slices.SortedFunc(slices.Values(partitions), func(a, b TopicPartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	var topics []topicPartitions
	for _, p := range slices.Compact(sorted) {
		if n := len(topics); n == 0 || topics[n-1].topic != p.Topic {
			topics = append(topics, topicPartitions{topic: p.Topic})
		}
		last := &topics[len(topics)-1]
		last.partitions = append(last.partitions, p.Partition)
	}
	return topics
}

// judge returns the code that concerns the whole transaction, if there is one. Otherwise
// refused keeps the partitions because of which the coordinator has added none.
func (r *addPartitionsRequest) judge() error {
	for p, err := range r.refused {
		switch reaction, _ := reactionTo(err); {
		case reaction != refused || errors.Is(err, kafkago.TransactionalIDAuthorizationFailed):
			return err
		case errors.Is(err, operationNotAttempted):
			delete(r.refused, p) // because of another one
		default:
			r.refused[p] = kafka.TopicError(p.Topic, "Write", err)
		}
	}
	return nil
}
