package controllers

import (
	"cmp"
	"slices"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// lagOf is how many offsets of a partition are not processed yet. Where nothing
// is committed, startOffset says where it would begin.
func lagOf(p kafkawatch.Partition, start v1alpha1.StartOffset) int64 {
	from := p.Committed
	if from < 0 {
		from = p.Start
		if start == v1alpha1.Latest {
			from = p.End
		}
	}
	// What was committed may have been deleted by now.
	return max(0, p.End-max(from, p.Start))
}

// inputStatus sums the last answer up.
func (s *scope) inputStatus() *v1alpha1.InputStatus {
	start := s.sp.Spec.Input.StartOffset
	in := &v1alpha1.InputStatus{
		Topic:      s.sp.Spec.Input.Topic,
		GroupID:    resources.GroupID(s.sp),
		Partitions: int32(len(s.facts.Partitions)),

		UnknownPartitions: s.facts.Unknown[:min(len(s.facts.Unknown), shown)],
	}
	for id, p := range s.facts.Partitions {
		lag := lagOf(p, start)
		in.Lag += lag
		if lag > 0 {
			in.PartitionsBehind = append(in.PartitionsBehind, v1alpha1.PartitionLag{
				Partition: int32(id), Committed: p.Committed, Lag: lag,
			})
		}
	}
	slices.SortStableFunc(in.PartitionsBehind, func(a, b v1alpha1.PartitionLag) int { return cmp.Compare(b.Lag, a.Lag) })
	in.PartitionsBehind = in.PartitionsBehind[:min(len(in.PartitionsBehind), shown)]
	return in
}
