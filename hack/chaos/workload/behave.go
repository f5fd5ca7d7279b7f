package workload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// crashCode is the exit code of a process that a record ends.
const crashCode = 3

// Behaviour carries out what a record's kind asks of the code that processes it. One
// value serves a whole process; it is safe for concurrent use.
type Behaviour struct {
	// Dir is where CrashOnce notes that it has crashed a process.
	Dir string

	mu    sync.Mutex
	tried map[ID]bool // Flaky and PanicOnce records that had their first attempt here
}

// errPoison is the error of each attempt of a Poison record.
var errPoison = errors.New("this record is poison")

// Attempt does to the calling goroutine, or to the process, what the record's kind says:
// it returns an error, panics, takes long, never returns or ends the process. Otherwise
// it returns nil, and the record's outputs can be made.
func (b *Behaviour) Attempt(id ID) error {
	switch id.Kind {
	case Slow:
		time.Sleep(time.Duration(20+id.Seq%180) * time.Millisecond)
	case Flaky:
		if b.first(id) {
			return errors.New("the first attempt of a flaky record fails")
		}
	case PanicOnce:
		if b.first(id) {
			panic("the first attempt of this record panics")
		}
	case Poison:
		return errPoison
	case Panic:
		panic("each attempt of this record panics")
	case Hang:
		select {}
	case Crash:
		os.Exit(crashCode)
	case CrashOnce:
		return b.crashOnce(id)
	}
	return nil
}

// first reports whether this is the record's first attempt in this process.
func (b *Behaviour) first(id ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tried == nil {
		b.tried = map[ID]bool{}
	}
	if b.tried[id] {
		delete(b.tried, id)
		return false
	}
	b.tried[id] = true
	return true
}

func (b *Behaviour) crashOnce(id ID) error {
	mark := filepath.Join(b.Dir, fmt.Sprintf("crashed-%d-%d", id.Partition, id.Seq))
	f, err := os.OpenFile(mark, os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		return nil
	case err != nil:
		return fmt.Errorf("note the crash: %w", err)
	}
	_ = f.Close()
	os.Exit(crashCode)
	return nil
}
