package workerstatus

import "time"

// LossReason says why offsets of the input topic can't be read any more.
type LossReason string

// The reasons.
const (
	// LossRetention: the topic's retention deleted records before they were
	// read.
	LossRetention LossReason = "Retention"
	// LossTopicRecreated: the topic was deleted and created again under its
	// name.
	LossTopicRecreated LossReason = "TopicRecreated"
	// LossTruncated: the log is shorter than it was, as after an unclean
	// leader election; its offsets stand for other records from there on.
	LossTruncated LossReason = "Truncated"
)

// Loss describes offsets of a partition that Kafka lost.
type Loss struct {
	// Offsets is how many were lost since the process started, where that is
	// known.
	Offsets int64 `json:"offsets"`
	// From and To are the last loss: from the first lost offset up to, not
	// including, To.
	From   int64      `json:"from"`
	To     int64      `json:"to"`
	Reason LossReason `json:"reason"`
	At     time.Time  `json:"at"`
}
