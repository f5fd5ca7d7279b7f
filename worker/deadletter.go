package worker

// The headers that a dead letter has beside those of its record. They name the place
// where the record was read, and the reason why it is a dead letter.
const (
	// HeaderTopic, HeaderPartition and HeaderOffset name the record's place.
	HeaderTopic     = "millrace-origin-topic"
	HeaderPartition = "millrace-origin-partition"
	HeaderOffset    = "millrace-origin-offset"
	// HeaderError is the last attempt's error.
	HeaderError = "millrace-error"
)
