package offsets

// Marks describes the work of the partition's owner at a commit. From the marks, the
// next owner learns which records may have been in flight when a process died.
type Marks struct {
	// Open says that the owner was working on the partition at the commit.
	Open bool
	// Process identifies the owner's process; only with Open.
	Process uint32
	// Reach is the offset below which the owner may have dispatched records. The
	// owner dispatches no record at or above it before a commit with a higher reach
	// is acknowledged. Only with Open, and never below the watermark.
	Reach int64
	// Suspicion is set during the search for a record that crashes the process.
	Suspicion *Suspicion
}

// Suspicion is the state of the search for a record that crashes the process.
type Suspicion struct {
	// Next ends the suspected offsets, which begin at the watermark.
	Next int64
	// Level is how narrow the search is. The engine defines the levels.
	Level uint8
	// Crashes counts the deaths of the process while it tried the record at Next-1
	// alone.
	Crashes int
	// Alone says that the owner tries the record at Reach-1 alone.
	Alone bool
}
