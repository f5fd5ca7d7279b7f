package workerstatus

import "time"

// LossReason says why offsets of the input topic are lost.
type LossReason string

// The reasons.
const (
	// LossRetention: the topic's retention deleted records before they were
	// read.
	LossRetention LossReason = "Retention"
	// LossTopicRecreated: the topic was deleted and created again under its
	// name.
	LossTopicRecreated LossReason = "TopicRecreated"
	// LossTruncated: the log was cut, for example by an unclean leader election. From
	// there on its offsets name other records.
	LossTruncated LossReason = "Truncated"
)

// Loss describes offsets of a partition that Kafka lost.
type Loss struct {
	// Offsets is the number of offsets lost since the process started. It leaves out
	// losses of unknown size.
	Offsets int64 `json:"offsets"`
	// From and To delimit the last loss: From is its first offset, To the one after
	// its last.
	From   int64      `json:"from"`
	To     int64      `json:"to"`
	Reason LossReason `json:"reason"`
	At     time.Time  `json:"at"`
}
