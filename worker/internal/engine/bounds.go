package engine

import (
	"math"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
)

// maxUncommitted bounds, in offsets, how far a partition is read beyond its
// committed offset. So a crash leaves at most that much to search for the
// record that caused it, and duplicates stay bounded when commits fail.
const maxUncommitted = 1 << 17

// room applies the bounds on the records and bytes in flight. Only the feeder's
// goroutine has it.
type room struct {
	limits   config.InFlight
	holdings *holdings
	fetcher  *fetch.Fetcher
	mail     *mailbox

	look *time.Timer // wakes the feeder while it waits for memory; nil before
}

// of returns how many records and bytes may be decoded for a partition now;
// no records means none.
//
// So that decoding doesn't degrade to a record at a time while the pool works
// off a partition's share, it goes on only when an eighth of that is free. A
// single record that is larger than the free bytes is let through alone.
func (rm *room) of(r *reader) (records, bytes int) {
	if records, bytes = rm.free(r); records > 0 {
		return records, bytes
	}
	// Asked again after blocked is set: records that settled before that did not
	// wake the feeder, those that settle later will.
	rm.mail.blocked.Store(true)
	return rm.free(r)
}

func (rm *room) free(r *reader) (records, bytes int) {
	if !r.tracker.Room() || r.awaitsCommit() {
		return 0, 0
	}
	ofRecords, ofBytes := rm.shares()
	freeRecords, freeBytes := ofRecords.free(r.records.Load()), ofBytes.free(r.bytes.Load())
	if r.records.Load() > 0 && (freeRecords == 0 || freeBytes == 0) {
		return 0, 0
	}
	return int(max(freeRecords, 1)), int(min(max(freeBytes, 1), math.MaxInt32))
}

// shares returns how the member's partitions share its bounds at the moment.
func (rm *room) shares() (records, bytes bound) {
	readers := rm.holdings.readers
	records, bytes = newBound(int64(rm.limits.Records), len(readers)), newBound(int64(rm.limits.Bytes), len(readers))
	for _, r := range readers {
		records.use(r.records.Load())
		bytes.use(r.bytes.Load())
	}
	return records, bytes
}

// toUnpack reports whether there is memory to decode on. Decoding takes none while
// the set has unpacked or uncompressed records left.
func (rm *room) toUnpack(r *reader) bool {
	may := func() bool {
		need := r.set.Needs()
		return need == 0 || rm.fetcher.MayUnpack(r.id, need, r.records.Load() == 0)
	}
	if may() {
		return true
	}
	// Asked again after blocked is set, as in of. Settled records wake the
	// feeder; the timer covers memory that is freed in other ways.
	rm.mail.blocked.Store(true)
	r.set.Trim()
	if may() {
		return true
	}
	rm.lookSoon()
	return false
}

// lookSoon wakes the feeder after batch.ExceedFor.
func (rm *room) lookSoon() {
	if rm.look == nil {
		rm.look = time.AfterFunc(batch.ExceedFor, rm.mail.wake.Notify)
		return
	}
	rm.look.Reset(batch.ExceedFor)
}

// bound is a limit on the records or bytes in flight that a member's partitions
// share. A quarter of it is split evenly: each partition's own, so that none ever waits
// for stuck records of others. The rest is lent to the partitions that have something
// to read, often few: each may hold as much of it as it leaves free
// (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
// switches", 1998). So even a partition that takes all it can get leaves half.
type bound struct {
	own  int64 // of each partition
	left int64 // of the lent part
}

func newBound(limit int64, parts int) bound {
	own := limit / int64(4*parts)
	return bound{own: own, left: limit - own*int64(parts)}
}

// use counts what a partition has in flight.
func (b *bound) use(n int64) { b.left -= b.borrowed(n) }

func (b *bound) borrowed(n int64) int64 { return max(n-b.own, 0) }

// free returns how much more a partition with n in flight may have. It returns 0 if
// that is less than an eighth of the most that it may have.
func (b *bound) free(n int64) int64 {
	free := max(b.own-n, 0) + max((b.left-b.borrowed(n))/2, 0)
	if free < (n+free+7)/8 {
		return 0
	}
	return free
}
