package batch

import (
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// ErrNoRoom says that there is not enough memory to unpack a log batch.
var ErrNoRoom = errors.New("there is not enough memory to unpack the next log batch")

// Set holds the records of one partition that one fetch returned, still encoded. Its
// owner decodes it with Next and frees it with Release. It has one owner at a time.
//
// A Set without records reports that the partition's watermarks have moved. It is Done
// from the start.
type Set struct {
	Partition int32
	// Epoch is the result of the call of Fetcher.Start that this set belongs to.
	Epoch uint64
	// HighWatermark, LastStableOffset and LogStartOffset are the broker's at
	// the time of the fetch; -1 is unknown.
	HighWatermark, LastStableOffset, LogStartOffset int64
	// LeaderEpochs are the leader epochs that begin with records of the set, in order:
	// nil unless the epoch changes.
	LeaderEpochs []EpochStart
	// Err is set, and there are no records, if the partition can't be read any further:
	// an *OffsetOutOfRangeError, a *TruncatedError, a *TopicRecreatedError, an error that
	// wraps ErrNotAuthorized, or another that needs somebody to act. It is the last set
	// of this epoch.
	Err error

	topic    string
	position int64 // all below it was handed out
	walk     batchWalk
	open     openBatch
	filter   transactionFilter
	raw      *Buffer // has one hold of the Set's; nil if there are no records
	encoded  int64   // bytes of raw that count as encoded
	begun    bool    // Next was called
	arena    arena
	failed   error // what ended the decoding
	told     bool  // Next has returned it
}

// Source describes the origin of a Set's records.
type Source struct {
	Topic         string
	Partition     int32
	Epoch         uint64
	Offset        int64 // the offset that was asked for
	ReadCommitted bool
	Aborted       []AbortedTransaction
	Pool          *Pool
	Owner         *Account // of the memory; nil if nobody is charged
	BatchLimit    int      // bytes that a log batch may hold unpacked; 0 is maxBatchBytes
}

// NewSet returns a Set over records, which lie in raw; it takes over the caller's
// hold of raw.
func NewSet(src Source, records []byte, raw *Buffer) *Set {
	s := &Set{
		Partition: src.Partition,
		Epoch:     src.Epoch,
		topic:     src.Topic,
		position:  src.Offset,
		walk:      batchWalk{data: records},
		filter:    newTransactionFilter(src.ReadCommitted, src.Aborted),
		raw:       raw,
		arena:     arena{pool: src.Pool, owner: src.Owner, limit: src.BatchLimit},
	}
	if raw != nil && src.Pool.budget != nil {
		s.countEncoded(int64(len(raw.data)))
	}
	return s
}

// Empty reports whether the set came without records.
func (s *Set) Empty() bool { return s.raw == nil }

// begin notes that the set no longer waits to be decoded: its records keep it in memory.
// A packed set counts as encoded until it is released, since its records take further
// memory.
func (s *Set) begin() {
	if !s.begun && !s.Packed() {
		s.countEncoded(-s.encoded)
	}
	s.begun = true
}

func (s *Set) countEncoded(bytes int64) {
	if bytes == 0 {
		return
	}
	s.encoded += bytes
	s.arena.pool.budget.encoded.Add(bytes)
	if s.arena.owner != nil {
		s.arena.owner.encoded.Add(bytes)
	}
}

// Packed reports whether Next would have to unpack a log batch first.
func (s *Set) Packed() bool {
	if s.failed != nil || s.open.left > 0 {
		return false
	}
	h, err := s.walk.peek()
	return err == nil && h.codec() != 0
}

// Needs returns how many bytes of further memory Next takes to unpack a log batch, as
// far as can be told; 0 if there is none to unpack, or room for it.
func (s *Set) Needs() int {
	if !s.Packed() {
		return 0
	}
	h, err := s.walk.peek()
	if err != nil {
		return 0
	}
	return s.arena.needs(h.codec(), h.payload())
}

// Done reports whether Next has returned all records, and the error if there is one.
func (s *Set) Done() bool {
	if s.failed != nil {
		return s.told
	}
	return s.open.left == 0 && s.walk.pos == len(s.walk.data)
}

// Trim gives back memory that the set keeps for the next batch that it unpacks.
func (s *Set) Trim() {
	if s.open.left == 0 {
		s.arena.free()
	}
}

// Release frees the set's memory, except the memory that batches borrow. A second call
// does nothing.
func (s *Set) Release() {
	s.countEncoded(-s.encoded)
	if s.raw != nil {
		s.raw.Release()
		s.raw = nil
	}
	s.arena.free()
	s.walk, s.open = batchWalk{}, openBatch{}
}

// Next releases b and decodes the next records into it. It stops after maxRecords, or
// before the records exceed maxBytes, but decodes at least one record if there is one. A
// batch without records covers offsets without readable records; it is empty if First =
// Next.
//
// After ErrNoRoom, wait for Fetcher.MayUnpack and call Next again. Any other error is a
// *CorruptError, a *LegacyFormatError or a *TooLargeError. Next returns the records
// before it first, and then the same error each time.
func (s *Set) Next(b *Batch, maxRecords, maxBytes int) error {
	s.begin()
	b.Release()
	b.First, b.Next = s.position, s.position
	if s.failed == nil {
		err := s.fill(b, max(maxRecords, 1), maxBytes)
		b.Next = s.position
		if errors.Is(err, ErrNoRoom) {
			if b.Next == b.First {
				return ErrNoRoom
			}
			return nil
		}
		s.failed = err
	}
	s.told = s.failed != nil && b.Next == b.First
	if s.told {
		return s.failed
	}
	return nil
}

// fill decodes until b is full or the set is done.
func (s *Set) fill(b *Batch, maxRecords, maxBytes int) error {
	for {
		full := len(b.Records) >= maxRecords
		if s.open.left > 0 {
			var err error
			if full, err = s.decode(b, maxRecords, maxBytes); err != nil {
				return err
			}
			if s.open.left > 0 {
				return nil
			}
		}
		// Pass batches without readable records even if b is full: they must not take a
		// call of Next by themselves.
		if more, err := s.openNext(full || len(b.Records) > 0 && s.short()); err != nil || !more {
			return err
		}
	}
}

// short reports whether there is too little memory to unpack more.
func (s *Set) short() bool {
	budget := s.arena.pool.budget
	return budget != nil && budget.free() < max(int64(s.Needs()), 1)
}

// decode moves records of the open batch to b until either is at its end.
func (s *Set) decode(b *Batch, maxRecords, maxBytes int) (full bool, err error) {
	o := &s.open
	for borrowed := false; o.left > 0; {
		if len(b.Records) >= maxRecords {
			return true, nil
		}
		start, end, err := o.frame()
		if err != nil {
			return false, s.corrupt(&o.logBatch, err)
		}
		if b.Bytes+end-start > maxBytes && len(b.Records) > 0 {
			return true, nil
		}
		if !borrowed {
			b.borrow(o.memory)
			borrowed = true
		}
		if err := s.append(b, start, end); err != nil {
			return false, s.corrupt(&o.logBatch, err)
		}
	}
	if o.at != len(o.content) {
		return false, s.corrupt(&o.logBatch, errors.New("it holds more than its records"))
	}
	s.position = max(s.position, o.last+1)
	return len(b.Records) >= maxRecords || b.Bytes >= maxBytes, nil
}

// append decodes one record to the end of b, unless it lies in front of the
// offset that was asked for.
func (s *Set) append(b *Batch, start, end int) error {
	n := len(b.Records)
	if n < cap(b.Records) {
		b.Records = b.Records[:n+1]
	} else {
		b.Records = append(b.Records, record.Record{})
	}
	rec := &b.Records[n]
	headers := len(b.headers)
	err := s.open.decode(start, end, rec, &b.headers)
	if err != nil || rec.Offset < s.position {
		*rec = record.Record{}
		b.Records, b.headers = b.Records[:n], b.headers[:headers]
		return err
	}
	rec.Topic, rec.Partition = s.topic, s.Partition
	b.Bytes += rec.Size()
	s.position = rec.Offset + 1
	return nil
}

// openNext passes batches that have nothing to read and opens the next one that
// has, unless full. It returns false if there is none to decode.
func (s *Set) openNext(full bool) (bool, error) {
	for {
		h, err := s.walk.peek()
		if errors.Is(err, errNoMoreBatches) {
			return false, nil
		}
		if err != nil {
			return false, s.unreadable(err)
		}
		if h.last >= s.position {
			if full && s.filter.wants(&h) {
				return false, nil
			}
			opened, err := s.enter(&h)
			if errors.Is(err, ErrNoRoom) {
				return false, err
			}
			if err != nil {
				return false, s.corrupt(&h, err)
			}
			if opened {
				s.pass(&h)
				return true, nil
			}
			s.position = h.last + 1
		}
		s.pass(&h)
	}
}

// pass goes to the batch behind h.
func (s *Set) pass(h *logBatch) {
	s.walk.pass(h)
	s.arena.counted = 0
}

// enter checks a batch and opens it if it has records to read.
func (s *Set) enter(h *logBatch) (opened bool, err error) {
	if err := h.verify(); err != nil {
		return false, err
	}
	if !s.filter.wants(h) {
		return false, s.filter.pass(h, &s.arena)
	}
	o := openBatch{logBatch: *h, content: h.payload(), memory: s.raw, left: h.count, least: h.base}
	if codec := h.codec(); codec != 0 {
		toCome := len(s.walk.data) - s.walk.pos - h.size
		if o.content, err = s.arena.decompress(codec, h.payload(), toCome); err != nil {
			return false, err
		}
		o.memory = s.arena.block
	}
	s.open = o
	return true, nil
}

// unreadable returns the error for bytes that are no batch.
func (s *Set) unreadable(err error) error {
	if magic, ok := errors.AsType[legacyMagic](err); ok {
		return &LegacyFormatError{Topic: s.topic, Partition: s.Partition, Offset: s.position, Magic: int8(magic)}
	}
	return &CorruptError{Topic: s.topic, Partition: s.Partition, Offset: s.position, BatchOffset: -1, Next: -1, Err: err}
}

func (s *Set) corrupt(h *logBatch, err error) error {
	if limit, ok := errors.AsType[unpacksBeyond](err); ok {
		return &TooLargeError{
			Topic: s.topic, Partition: s.Partition, Offset: s.position, BatchOffset: h.base, Next: h.last + 1, Limit: int64(limit),
		}
	}
	return &CorruptError{Topic: s.topic, Partition: s.Partition, Offset: s.position, BatchOffset: h.base, Next: h.last + 1, Err: err}
}
