package batch

import "fmt"

// CorruptError says that a part of a partition's log can't be read: its checksum
// is wrong or its content contradicts itself.
type CorruptError struct {
	Topic     string
	Partition int32
	// Offset is the first offset that could not be read; all below it were.
	Offset int64
	// BatchOffset is the base offset of the log batch that is damaged, as the batch has
	// it; -1 if it is unknown.
	BatchOffset int64
	// Next is the offset behind the damaged batch; -1 if it is unknown.
	Next int64
	// Err is the reason.
	Err error
}

// Error names the place, the reason and a remedy.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("corrupt log: %s: %v: let a healthy replica lead the partition, or %s",
		place(e.Topic, e.Partition, e.Offset, e.BatchOffset), e.Err, skipping(e.Next))
}

func place(topic string, partition int32, offset, batch int64) string {
	text := fmt.Sprintf("topic %q, partition %d, offset %d", topic, partition, offset)
	if batch >= 0 {
		text += fmt.Sprintf(" (in the log batch at offset %d)", batch)
	}
	return text
}

// skipping returns the steps to skip a batch that can't be read.
func skipping(next int64) string {
	where := "a later offset"
	if next >= 0 {
		where = fmt.Sprintf("offset %d", next)
	}
	return "skip the batch and lose its records: stop the group's members, commit " + where + " for the group and start them again"
}

// Unwrap returns the reason.
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

// Error names the place and a remedy.
func (e *LegacyFormatError) Error() string {
	return fmt.Sprintf("topic %q, partition %d, offset %d: messages in the format v%d, older than Kafka 0.11, are not "+
		"supported: "+
		"rewrite the topic with a current producer, or skip and lose them: stop the group's members, commit a later offset for the group and start them again", e.Topic, e.Partition, e.Offset, e.Magic)
}

// TooLargeError says that a log batch needs more memory than input may take.
type TooLargeError struct {
	Topic     string
	Partition int32
	// Offset is the first offset that was not read, BatchOffset the base offset
	// of the batch, and Next the offset behind it.
	Offset, BatchOffset, Next int64
	// Limit is how many bytes a batch may hold when it is unpacked.
	Limit int64
}

// Error names the place, the limit and a remedy.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s: a compressed log batch holds more than %d bytes: "+
		"raise inFlight.bytes, and the memory limit with it, or %s",
		place(e.Topic, e.Partition, e.Offset, e.BatchOffset), e.Limit, skipping(e.Next))
}

// unpacksBeyond is the error for a batch that holds more bytes than this limit.
type unpacksBeyond int

// Error implements error.
func (limit unpacksBeyond) Error() string {
	return fmt.Sprintf("it holds more than %d bytes", int(limit))
}
