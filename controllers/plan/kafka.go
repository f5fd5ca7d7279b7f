package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// Kafka is the operator's knowledge of the topics and of the group.
type Kafka struct {
	// Trouble is the reason why the last questions got no answer; nil if they did.
	Trouble *Trouble
	// Partitions of the input topic, as last known; 0 if never known.
	Partitions int32
	// Source is the source of that number; "" if it is 0.
	Source v1alpha1.PartitionsSource
	// Missing are the topics of the last good answer that do not exist and that no
	// worker creates.
	Missing []string
	// MissingFor is the time since they were first missing.
	MissingFor time.Duration
	// Input is nil until the cluster has answered.
	Input *v1alpha1.InputStatus
	// Waiting is the reason why a pod does not join the group; "" if none is known.
	Waiting string
	// Stuck are the halted partitions and the records that hold a watermark.
	Stuck []v1alpha1.StuckPartition
	// Losses are the lost offsets that the status shows, newest first.
	Losses []v1alpha1.PartitionLoss
	// Unknown are the partitions whose end offset no leader gives at present.
	Unknown []int32
	// Gone are the partitions whose committed offsets have expired or were deleted.
	Gone []int32
}

// Trouble is the reason why Kafka does not answer.
type Trouble struct {
	// Refused: a broker answers, and refuses the credentials or the question.
	Refused bool
	Message string
}

// notAsked reports whether the operator has neither an answer nor an error from Kafka.
func (k *Kafka) notAsked() bool { return k.Trouble == nil && !k.answered() }

// answered reports whether Kafka has answered about the topics since the operator
// started.
func (k *Kafka) answered() bool { return k.Input != nil || len(k.Missing) > 0 }

// partitionsKnown extends the message that Kafka does not answer: it names the source
// of the number of partitions that bounds the pods.
func (k *Kafka) partitionsKnown(topic string) string {
	partitions := count(k.Partitions, "partition")
	switch {
	case k.Partitions == 0 && k.Trouble.Refused:
		return "" // spec.input.partitions does not help here
	case k.Partitions == 0:
		return "; if the operator can't reach Kafka at all, set spec.input.partitions to the topic's number of partitions, so that pods start"
	case k.Source == v1alpha1.PartitionsFromWorkers:
		return fmt.Sprintf("; the pods say that topic %q has %s", topic, partitions)
	case k.Source == v1alpha1.PartitionsFromSpec:
		return fmt.Sprintf("; spec.input.partitions says that topic %q has %s, until a pod gives their number", topic, partitions)
	}
	return ""
}

// answers returns the message of KafkaReachable while the cluster answers. It names
// the partitions without a leader.
func (k *Kafka) answers(topic string) string {
	if len(k.Unknown) == 0 {
		return "the cluster answers"
	}
	return fmt.Sprintf("the cluster answers, but no leader does for %s of topic %q: the status has the last known lag there",
		partitionList(k.Unknown), topic)
}

// stuckPartition, like recordsLost, concerns single partitions: all others go on.
func (k *Kafka) stuckPartition() status.Condition {
	if len(k.Stuck) == 0 {
		return status.False(status.StuckPartition, status.WatermarkHeld, "")
	}
	s := &k.Stuck[0]
	reason, message, advice := status.WatermarkHeld, stuckMessage(s), "; spec.failure sets how long a record is retried"
	if s.Halted {
		reason, advice = status.ReadingHalted, ""
	}
	if more := len(k.Stuck) - 1; more > 0 {
		message += fmt.Sprintf("; status.stuckPartitions has %s", count(more, "more partition"))
	}
	return status.True(status.StuckPartition, reason, message+advice)
}

func stuckMessage(s *v1alpha1.StuckPartition) string {
	message := fmt.Sprintf("partition %d has waited for offset %d since %s", s.Partition, s.Offset, moment(s.Since.Time))
	if s.Halted {
		message = fmt.Sprintf("the worker can't read partition %d any further: it halted at offset %d at %s", s.Partition, s.Offset, moment(s.Since.Time))
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

func (k *Kafka) recordsLost() status.Condition {
	if len(k.Losses) == 0 {
		return status.False(status.RecordsLost, status.LostBeforeRead, "")
	}
	message := LossMessage(k.Losses[0])
	if more := len(k.Losses) - 1; more > 0 {
		message += fmt.Sprintf("; %s lost some too, see status.losses", count(more, "other partition"))
	}
	return status.True(status.RecordsLost, status.LostBeforeRead, message)
}

// LossMessage names the lost offsets of a partition, the cause, and the remedy.
func LossMessage(l v1alpha1.PartitionLoss) string {
	lost := fmt.Sprintf("partition %d: offsets %d to %d", l.Partition, l.From, l.To-1)
	switch l.Reason {
	case "Retention":
		lost += " were deleted by the topic's retention before they were read: raise retention.ms or retention.bytes, or run more replicas"
	case "TopicRecreated":
		lost += " are gone because the topic was deleted and created again: the worker reads the new topic from its start"
	case "Truncated":
		lost += " are gone because the log was truncated, as by an unclean leader election: the worker reads the records that were written in their place"
	default:
		lost += " were lost before they were read"
	}
	return lost + fmt.Sprintf(" (noticed at %s)", moment(l.At.Time))
}

// partitionsShown is the largest number of partitions that a message lists.
const partitionsShown = 10

// partitionList names some partitions, with their number if it does not name all.
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
