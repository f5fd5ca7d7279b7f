package controllers

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// shown is the largest number of partitions in a list of the status.
const shown = 10

// lossShown is the time for which the status shows a loss. The worker that noticed it
// reports it only as long as it runs.
const lossShown = 24 * time.Hour

// stuckPartitions returns the halted partitions first, then those that have been stuck
// the longest.
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
	// Two pods may name the same partition for a moment, while it moves.
	stuck = firstOfEach(stuck, func(s v1alpha1.StuckPartition) int32 { return s.Partition })
	return stuck[:min(len(stuck), shown)]
}

// sortStuck puts the halted partitions first, then those that have been stuck the
// longest.
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

// losses joins the losses in the status with those that the workers report, and drops
// those older than lossShown. It keeps the newest loss of each partition.
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

// newLosses returns the losses that the status did not have before.
func newLosses(before, after []v1alpha1.PartitionLoss) []v1alpha1.PartitionLoss {
	return slices.DeleteFunc(slices.Clone(after), func(l v1alpha1.PartitionLoss) bool {
		return slices.ContainsFunc(before, func(b v1alpha1.PartitionLoss) bool {
			return b.Partition == l.Partition && b.At.Equal(&l.At)
		})
	})
}
