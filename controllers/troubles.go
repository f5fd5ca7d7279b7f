package controllers

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/status"
)

// shown is how many partitions the status names at most.
const shown = 10

// lossShown is how long a loss stays in the status. The worker that noticed it
// reports it only as long as it runs.
const lossShown = 24 * time.Hour

// stuckPartitions returns the halted partitions first, then those that have been
// stuck the longest.
func stuckPartitions(workers []podwatch.Stuck) []v1alpha1.StuckPartition {
	var stuck []v1alpha1.StuckPartition
	for _, s := range workers {
		stuck = append(stuck, v1alpha1.StuckPartition{
			Partition: s.Partition, Offset: s.Offset, KeyHash: s.KeyHash, Halted: s.Halted,
			Since:    metav1.NewTime(s.Since.Truncate(time.Second)), // as the API server keeps it
			Attempts: int32(s.Attempts), LastError: s.LastError,
		})
	}
	sortStuck(stuck)
	// One partition may be named by two pods for a moment, while it moves.
	stuck = firstOfEach(stuck, func(s v1alpha1.StuckPartition) int32 { return s.Partition })
	return stuck[:min(len(stuck), shown)]
}

// sortStuck puts the halted ones first, then those that have been stuck the longest.
func sortStuck(stuck []v1alpha1.StuckPartition) {
	slices.SortStableFunc(stuck, func(a, b v1alpha1.StuckPartition) int {
		switch {
		case a.Halted && !b.Halted:
			return -1
		case b.Halted && !a.Halted:
			return 1
		default:
			return a.Since.Compare(b.Since.Time)
		}
	})
}

// awaited is how long an operator that has just started waits for all pods to answer
// before those that do are taken to name all troubles.
const awaited = 2 * time.Minute

// stillStuck adds the stuck partitions that the status has and that no pod has spoken
// of yet: an operator that starts again, or takes over, has not asked all of them. A
// record whose offset is committed by now is not stuck.
func (s *scope) stillStuck(stuck []v1alpha1.StuckPartition, now time.Time) []v1alpha1.StuckPartition {
	left := s.memory.began.Add(awaited).Sub(now)
	if s.memory.heard = s.memory.heard || s.workers.Complete() || left <= 0; s.memory.heard {
		return stuck
	}
	before := slices.DeleteFunc(slices.Clone(s.sp.Status.StuckPartitions), func(p v1alpha1.StuckPartition) bool {
		known := s.facts.Partitions
		return p.Partition >= 0 && int(p.Partition) < len(known) && known[p.Partition].Committed > p.Offset
	})
	if len(before) > 0 {
		s.waitFor(left)
	}
	stuck = firstOfEach(append(stuck, before...), func(p v1alpha1.StuckPartition) int32 { return p.Partition })
	sortStuck(stuck)
	return stuck[:min(len(stuck), shown)]
}

// firstOfEach keeps the first element of each partition.
func firstOfEach[T any](list []T, partition func(T) int32) []T {
	seen := map[int32]bool{}
	return slices.DeleteFunc(list, func(element T) bool {
		id := partition(element)
		again := seen[id]
		seen[id] = true
		return again
	})
}

// losses joins the losses in the status with those that the workers report, and
// drops those that are older than lossShown. It keeps the newest of each partition.
func losses(before []v1alpha1.PartitionLoss, workers []podwatch.Loss, now time.Time) []v1alpha1.PartitionLoss {
	all := slices.Clone(before)
	for _, l := range workers {
		all = append(all, v1alpha1.PartitionLoss{
			Partition: l.Partition, From: l.From, To: l.To, Reason: l.Reason,
			At: metav1.NewTime(l.At.Truncate(time.Second)), // as the API server keeps it
		})
	}
	all = slices.DeleteFunc(all, func(l v1alpha1.PartitionLoss) bool { return now.Sub(l.At.Time) >= lossShown })
	slices.SortStableFunc(all, func(a, b v1alpha1.PartitionLoss) int { return b.At.Compare(a.At.Time) })
	all = firstOfEach(all, func(l v1alpha1.PartitionLoss) int32 { return l.Partition })
	return all[:min(len(all), shown)]
}

// newLosses returns the losses that the status before did not show.
func newLosses(before, after []v1alpha1.PartitionLoss) []v1alpha1.PartitionLoss {
	return slices.DeleteFunc(slices.Clone(after), func(l v1alpha1.PartitionLoss) bool {
		return slices.ContainsFunc(before, func(b v1alpha1.PartitionLoss) bool {
			return b.Partition == l.Partition && b.At.Equal(&l.At)
		})
	})
}

// offsetsGone returns the partitions whose committed offsets are gone. An operator
// that has just started did not see them go. If the condition says that some did, it
// takes all partitions without a committed offset for them.
func (s *scope) offsetsGone() []int32 {
	if len(s.facts.Gone) > 0 || !meta.IsStatusConditionTrue(s.sp.Status.Conditions, status.OffsetsGone) {
		return s.facts.Gone
	}
	var without []int32
	for id, p := range s.facts.Partitions {
		if p.Committed < 0 {
			without = append(without, int32(id))
		}
	}
	return without
}
