package kafka

import "fmt"

// CorruptError says that a part of a partition's log can't be read: its checksum
// is wrong or its content contradicts itself.
type CorruptError struct {
	Topic     string
	Partition int32
	// Offset is the first offset that could not be read; all below it were.
	Offset int64
	// BatchOffset is the base offset of the log batch that is damaged, as it
	// stands in the batch; -1 if that can't be told.
	BatchOffset int64
	// Err is what is wrong.
	Err error
}

// Error names the place, what is wrong and what to do.
func (e *CorruptError) Error() string {
	place := fmt.Sprintf("topic %q, partition %d, offset %d", e.Topic, e.Partition, e.Offset)
	if e.BatchOffset >= 0 {
		place += fmt.Sprintf(" (in the log batch at offset %d)", e.BatchOffset)
	}
	return fmt.Sprintf("corrupt log: %s: %v: if it stays so after a restart, let the partition's leader move to "+
		"a healthy replica, or skip the batch by committing a later offset for the group", place, e.Err)
}

// Unwrap returns what is wrong.
func (e *CorruptError) Unwrap() error { return e.Err }

// LegacyFormatError says that a partition still holds messages in a format older
// than Kafka 0.11's record batches, which is not read.
type LegacyFormatError struct {
	Topic     string
	Partition int32
	// Offset is that of the first message in the old format.
	Offset int64
	// Magic is the format's version: 0 or 1.
	Magic int8
}

// Error names the place and what to do.
func (e *LegacyFormatError) Error() string {
	return fmt.Sprintf("topic %q, partition %d, offset %d: messages in the format v%d, older than Kafka 0.11, are not "+
		"supported: rewrite the topic with a current producer, or start behind them", e.Topic, e.Partition, e.Offset, e.Magic)
}
