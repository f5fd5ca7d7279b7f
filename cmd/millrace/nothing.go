package main

import (
	"fmt"

	"github.com/millrace-dev/millrace/worker/config"
)

// whyNothing says why a drained run has read no records. target holds the end offsets of
// the partitions with records.
func (s *session) whyNothing(target map[int32]int64) string {
	topic, group := s.cfg.Input.Topic, s.cfg.Input.GroupID
	switch {
	case len(target) == 0 && s.source != nil:
		return fmt.Sprintf("Topic %s holds no records that the consumer group %s has not processed. --from-beginning processes all of them.", topic, group)
	case len(target) == 0:
		return fmt.Sprintf("Topic %s holds no records.", topic)
	case s.group.isNew() && s.cfg.Input.StartOffset == config.Latest:
		return fmt.Sprintf("The consumer group %s is new and begins at the end of topic %s (input.startOffset is Latest).", group, topic)
	case reached(s.group.atFirst(), target):
		return fmt.Sprintf("The consumer group %s had processed all records of topic %s before. --from-beginning processes them again.", group, topic)
	default:
		return fmt.Sprintf("Other members of the consumer group %s have processed the records of topic %s.", group, topic)
	}
}

// isNew reports whether the group had committed nothing before the run.
func (w *groupWatch) isNew() bool {
	for _, offset := range w.atFirst() {
		if offset >= 0 {
			return false
		}
	}
	return true
}

// atFirst returns the offsets that the group had committed before the run.
func (w *groupWatch) atFirst() map[int32]int64 {
	if w == nil {
		return nil // an embedded broker has new groups only
	}
	return byPartition(w.first.committed)
}

func byPartition(offsets []int64) map[int32]int64 {
	all := make(map[int32]int64, len(offsets))
	for partition, offset := range offsets {
		all[int32(partition)] = offset
	}
	return all
}
