package broker

// Identity is a producer's id and epoch.
type Identity struct {
	Producer int64
	Epoch    int16
}

// NoIdentity is that of a producer that has none.
var NoIdentity = Identity{-1, -1}

// Batch is a log batch.
type Batch struct {
	Identity
	Base          int64 // set by the log
	Count         int32 // of offsets
	Sequence      int32 // of the first record
	Transactional bool
	Control       bool // the end of a transaction
	Commit        bool // of a control batch
	// Bytes is the batch as the producer wrote it, or anything else that tells its
	// records.
	Bytes string
}

// Next returns the offset behind the batch.
func (b *Batch) Next() int64 { return b.Base + int64(b.Count) }

// Aborted is a transaction's part of a partition whose records nobody may see.
type Aborted struct {
	Producer    int64
	First, Last int64 // Last is the control batch
}

// sequenced is a batch that a log remembers, to recognize it when it comes again.
type sequenced struct {
	first, last int32
	base        int64
}

// recent are the last batches of a producer.
type recent struct {
	batches [5]sequenced // the oldest first
	n       int
}

func (r *recent) all() []sequenced { return r.batches[:r.n] }

// last returns the sequence of the producer's last record.
func (r *recent) last() int32 { return r.batches[r.n-1].last }

func (r *recent) add(s sequenced) {
	if r.n == len(r.batches) {
		copy(r.batches[:], r.batches[1:])
		r.n--
	}
	r.batches[r.n] = s
	r.n++
}

// producerState is what a log knows of a producer.
type producerState struct {
	producer int64
	epoch    int16
	recent   recent
	open     int64 // the first offset of the open transaction, -1 for none
}

// Log is a partition.
type Log struct {
	Batches   []Batch
	End       int64
	Aborted   []Aborted
	producers []producerState
}

func (l *Log) state(producer int64) *producerState {
	for i := range l.producers {
		if l.producers[i].producer == producer {
			return &l.producers[i]
		}
	}
	return nil
}

func (l *Log) makeState(producer int64) *producerState {
	if s := l.state(producer); s != nil {
		return s
	}
	l.producers = append(l.producers, producerState{producer: producer, epoch: -1, open: -1})
	return &l.producers[len(l.producers)-1]
}

// hasOpen reports whether the log has an open transaction of the producer's epoch.
func (l *Log) hasOpen(id Identity) bool {
	s := l.state(id.Producer)
	return s != nil && s.open >= 0 && s.epoch == id.Epoch
}

// Append appends a batch of a client, or recognizes it as one that is there already. It
// returns the batch's first offset.
func (l *Log) Append(b Batch) (base int64, code Code) {
	if b.Producer < 0 {
		return l.push(b), 0
	}
	s := l.makeState(b.Producer)
	last := b.Sequence + b.Count - 1
	if s.epoch == b.Epoch {
		for _, r := range s.recent.all() {
			if r.first == b.Sequence && r.last == last {
				return r.base, 0
			}
		}
	}
	if code := s.accepts(b); code != 0 {
		return -1, code
	}
	if s.epoch != b.Epoch {
		s.epoch, s.recent = b.Epoch, recent{}
	}
	if b.Transactional && s.open < 0 {
		s.open = l.End
	}
	base = l.push(b)
	s.recent.add(sequenced{b.Sequence, last, base})
	return base, 0
}

// accepts checks the epoch and the sequence of a batch that is new to the log.
func (s *producerState) accepts(b Batch) Code {
	switch {
	case b.Epoch < s.epoch:
		return InvalidProducerEpoch
	case s.epoch < 0:
		return 0 // nothing is known of the producer
	case b.Epoch > s.epoch || s.recent.n == 0:
		if b.Sequence != 0 {
			return OutOfOrderSequence
		}
	case b.Sequence != s.recent.last()+1:
		return OutOfOrderSequence
	}
	return 0
}

func (l *Log) push(b Batch) int64 {
	b.Base = l.End
	l.Batches = append(l.Batches, b)
	l.End += int64(b.Count)
	return b.Base
}

// endTransaction appends the control batch that ends the producer's transaction.
func (l *Log) endTransaction(id Identity, commit bool) {
	s := l.makeState(id.Producer)
	if id.Epoch > s.epoch {
		s.epoch, s.recent = id.Epoch, recent{}
	}
	at := l.push(Batch{Identity: id, Count: 1, Sequence: -1, Transactional: true, Control: true, Commit: commit})
	if s.open >= 0 && !commit {
		l.Aborted = append(l.Aborted, Aborted{Producer: id.Producer, First: s.open, Last: at})
	}
	s.open = -1
}

// Stable returns the offset up to which no transaction is open.
func (l *Log) Stable() int64 {
	stable := l.End
	for i := range l.producers {
		if open := l.producers[i].open; open >= 0 {
			stable = min(stable, open)
		}
	}
	return stable
}

func (l *Log) copy(from *Log) {
	l.End = from.End
	l.Batches = append(l.Batches[:0], from.Batches...)
	l.Aborted = append(l.Aborted[:0], from.Aborted...)
	l.producers = append(l.producers[:0], from.producers...)
}
