package worker

import "github.com/millrace-dev/millrace/worker/internal/failure"

// The headers of a dead letter, beside those of its record. They say where the record
// was read and why it is a dead letter.
const (
	// HeaderTopic, HeaderPartition and HeaderOffset say where the record was read.
	HeaderTopic     = failure.HeaderTopic
	HeaderPartition = failure.HeaderPartition
	HeaderOffset    = failure.HeaderOffset
	// HeaderError is the last attempt's error.
	HeaderError = failure.HeaderError
)
