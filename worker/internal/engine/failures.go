package engine

import (
	"sync"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// failures remembers the failed attempts of the partition's unsettled records.
type failures struct {
	count atomic.Int32 // len(byOffset), so that a partition without any costs nothing
	mu    sync.Mutex
	// byOffset is guarded by mu.
	byOffset map[int64]*failing
}

// failing is a record that has failed and is not settled.
type failing struct {
	attempts  int
	err       error
	keyHash   string
	exhausted bool
	condemned bool // not to be tried at all
}

// add counts n failed attempts of a record and returns how many it has had.
func (f *failures) add(rec *record.Record, n int, err error) int {
	offset := rec.Offset
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byOffset == nil {
		f.byOffset = make(map[int64]*failing)
	}
	r := f.byOffset[offset]
	if r == nil {
		r = &failing{keyHash: keyHash(rec.Key)}
		f.byOffset[offset] = r
		f.count.Add(1)
	}
	r.attempts += n
	r.err = err
	return r.attempts
}

// condemn gives up a record that has not been dispatched, after n failed
// attempts.
func (f *failures) condemn(rec *record.Record, n int, err error) {
	f.add(rec, n, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byOffset[rec.Offset].condemned = true
}

// condemnAt gives up a record that has not been read yet.
func (f *failures) condemnAt(offset int64, err error) {
	f.condemn(&record.Record{Offset: offset}, 1, err)
}

// exhaust marks a record as given up. It returns false if the record was given up
// before.
func (f *failures) exhaust(offset int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.byOffset[offset]
	if r == nil || r.exhausted {
		return false
	}
	r.exhausted = true
	return true
}

// any reports whether a record of the partition has failed and is not settled.
func (f *failures) any() bool { return f.count.Load() > 0 }

// forget removes a settled record.
func (f *failures) forget(offset int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.byOffset[offset]; ok {
		delete(f.byOffset, offset)
		f.count.Add(-1)
	}
}

// describe returns the details of a record for /status.
func (f *failures) describe(offset int64) (attempts int, keyHash string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.byOffset[offset]; r != nil {
		return r.attempts, r.keyHash, r.err
	}
	return 0, "", nil
}

// attempt returns the number of a record's present attempt, from 1.
func (f *failures) attempt(offset int64) int {
	if !f.any() {
		return 1
	}
	failed, _, _ := f.of(offset)
	return failed + 1
}

// of returns the attempts and last error of a record, and whether it is
// condemned.
func (f *failures) of(offset int64) (attempts int, condemned bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.byOffset[offset]; r != nil {
		return r.attempts, r.condemned, r.err
	}
	return 0, false, nil
}
