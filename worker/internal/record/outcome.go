package record

// Fate says how the worker settled a record.
type Fate uint8

// The fates of a record. Package worker describes them.
const (
	Delivered Fate = iota
	Filtered
	DeadLettered
	Dropped
)

// String returns the fate's name in lower case with hyphens.
func (f Fate) String() string {
	switch f {
	case Delivered:
		return "delivered"
	case Filtered:
		return "filtered"
	case DeadLettered:
		return "dead-lettered"
	case Dropped:
		return "dropped"
	default:
		return "unknown"
	}
}

// Position names a record in a log.
type Position struct {
	Topic     string
	Partition int32
	Offset    int64
}

// Outcome describes the end of one record's way through the worker.
type Outcome struct {
	Input   Position
	Fate    Fate
	Outputs []Position
	Err     error
}
