package plan

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Conditions about single partitions: all others go on.

// partitionsShown is how many partitions a message lists.
const partitionsShown = 10

func (o *Observed) stuckPartition() status.Condition {
	if len(o.Kafka.Stuck) == 0 {
		return status.False(status.StuckPartition, status.WatermarkHeld, "")
	}
	s := &o.Kafka.Stuck[0]
	reason, message, advice := status.WatermarkHeld, stuckMessage(s), "; spec.failure says how long a record is tried"
	if s.Halted {
		reason, advice = status.ReadingHalted, ""
	}
	if more := len(o.Kafka.Stuck) - 1; more > 0 {
		message += fmt.Sprintf("; so do %d more, see status.stuckPartitions", more)
	}
	return status.True(status.StuckPartition, reason, message+advice)
}

func stuckMessage(s *v1alpha1.StuckPartition) string {
	message := fmt.Sprintf("partition %d waits for offset %d since %s", s.Partition, s.Offset, moment(s.Since.Time))
	if s.Halted {
		message = fmt.Sprintf("partition %d has been halted at offset %d since %s, since it can't be read on", s.Partition, s.Offset, moment(s.Since.Time))
	}
	if s.KeyHash != "" {
		message += fmt.Sprintf(" (key hash %s)", s.KeyHash)
	}
	if s.LastError != "" {
		message += ": " + s.LastError
	}
	return message
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (o *Observed) recordsLost() status.Condition {
	if len(o.Kafka.Losses) == 0 {
		return status.False(status.RecordsLost, status.LostBeforeRead, "")
	}
	message := LossMessage(o.Kafka.Losses[0])
	if more := len(o.Kafka.Losses) - 1; more > 0 {
		message += fmt.Sprintf("; %s lost some too, see status.losses", count(more, "other partition"))
	}
	return status.True(status.RecordsLost, status.LostBeforeRead, message)
}

// LossMessage says what was lost of a partition, why, and what to do.
func LossMessage(l v1alpha1.PartitionLoss) string {
	what := fmt.Sprintf("partition %d: offsets %d to %d", l.Partition, l.From, l.To-1)
	switch l.Reason {
	case "Retention":
		what += " were deleted by the topic's retention before they were read: raise retention.ms or retention.bytes, or run more replicas"
	case "TopicRecreated":
		what += " are gone, since the topic was deleted and created again: the new one is read from its start"
	case "Truncated":
		what += " are gone, since the log was cut, as an unclean leader election does: what was written in their place is read"
	default:
		what += " were lost before they were read"
	}
	return what + fmt.Sprintf(" (noticed at %s)", moment(l.At.Time))
}

func (o *Observed) offsetsGone() status.Condition {
	if last := meta.FindStatusCondition(o.Processor.Status.Conditions, status.OffsetsGone); last != nil && o.unanswered() {
		// An operator that starts again knows this much.
		return status.Condition{Type: last.Type, Status: last.Status, Reason: last.Reason, Message: last.Message}
	}
	if len(o.Kafka.Gone) == 0 {
		return status.False(status.OffsetsGone, status.ExpiredOrDeleted, "")
	}
	in := &o.Processor.Spec.Input
	return status.True(status.OffsetsGone, status.ExpiredOrDeleted, fmt.Sprintf(
		"consumer group %q has no committed offset any more for %s of topic %q: it has expired (the brokers' offsets.retention.minutes), "+
			"or was deleted with the topic or by somebody; unless one is set before, a worker starts there as spec.input.startOffset says: %s",
		resources.GroupID(o.Processor), partitionList(o.Kafka.Gone), in.Topic, in.StartOffset))
}

func (o *Observed) suspendedMessage() string {
	if o.offsetsGone().Status == metav1.ConditionTrue {
		return "suspended: no pod runs; the group has lost offsets, see the condition " + status.OffsetsGone
	}
	return "suspended: no pod runs, and the group keeps its offsets; set spec.suspend to false to go on"
}

// answers returns the message of KafkaReachable while the cluster answers. It names
// the partitions without a leader.
func (o *Observed) answers() string {
	if len(o.Kafka.Unknown) == 0 {
		return "the cluster answers"
	}
	return fmt.Sprintf("the cluster answers, but no leader does for %s of topic %q: the lag there counts as it was last known",
		partitionList(o.Kafka.Unknown), o.Processor.Spec.Input.Topic)
}

// partitionList names some partitions, and says how many there are if that is not
// all.
func partitionList(ids []int32) string {
	var names []string
	for _, id := range ids[:min(len(ids), partitionsShown)] {
		names = append(names, fmt.Sprint(id))
	}
	list := strings.Join(names, ", ")
	switch {
	case len(ids) == 1:
		return "partition " + list
	case len(ids) > len(names):
		return fmt.Sprintf("%d partitions (%s, ...)", len(ids), list)
	default:
		return "partitions " + list
	}
}
