package offsets

// Marks describe the work of a commit's owner, beyond the records that are settled.
// From them the next owner learns what may have been in flight when a process died.
type Marks struct {
	// Open says that the partition was being worked on at the commit.
	Open bool
	// Process identifies the owner's process; only with Open.
	Process uint32
	// Reach is the offset up to which the owner may have dispatched records:
	// it dispatches none from there on before a commit with a higher reach is
	// acknowledged. Only with Open, and never below the watermark.
	Reach int64
	// Suspicion is set during the search for a record that crashes the process.
	Suspicion *Suspicion
}

// Suspicion is the state of the search for a record that crashes the process.
type Suspicion struct {
	// Next ends the suspected offsets, which begin at the watermark.
	Next int64
	// Level is how narrow the search is; the engine says what it means.
	Level uint8
	// Crashes is how often the process died while it tried the record at
	// Next-1 alone.
	Crashes int
	// Alone says that the record at Reach-1 is being tried alone.
	Alone bool
}
