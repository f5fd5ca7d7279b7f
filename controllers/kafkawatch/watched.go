package kafkawatch

import (
	"errors"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

// errorInterval is the shortest time after which an error replaces another one of its
// kind. The texts may differ with each attempt, and each new one causes a write of the
// status.
const errorInterval = time.Minute

// watched is one StreamProcessor's target with its facts. Watcher.mu guards all fields but
// target.
type watched struct {
	target  Target
	conns   *connections // nil if the target is invalid
	invalid error        // the error of the target, nil if it is valid

	asked bool // set once a round has included the target
	// keptUntil is the time at which the group is due for a renewal; zero before the
	// first.
	keptUntil time.Time

	facts   Facts
	told    time.Time // time at which facts.Err was set
	samples []Sample
}

// inherit copies the facts of an earlier target with the same topic and group.
func (s *watched) inherit(old *watched) {
	if old != nil && old.target.sameSource(&s.target) {
		s.facts, s.told, s.samples, s.keptUntil = old.facts, old.told, old.samples, old.keptUntil
	}
}

// update updates the facts from an answer, and reports whether they have changed.
func (s *watched) update(a answer) bool {
	if a.err != nil {
		return s.setError(a.err, a.at)
	}
	f := &s.facts
	changed := f.At.IsZero() || f.Err != nil
	f.At, f.Err, f.Since = a.at, nil, time.Time{}
	if !slices.Equal(f.Missing, a.missing) {
		if len(f.Missing) == 0 {
			f.MissingSince = a.at
		}
		f.Missing, changed = a.missing, true
	}
	if len(f.Missing) == 0 {
		f.MissingSince = time.Time{}
	}
	if a.partitions == nil {
		return changed
	}
	s.fillUnknown(a)
	if !slices.Equal(f.Unknown, a.unknown) {
		f.Unknown, changed = a.unknown, true
	}
	if gone := f.goneWith(a.partitions); !slices.Equal(f.Gone, gone) {
		f.Gone, changed = gone, true
	}
	if !slices.Equal(f.Partitions, a.partitions) {
		f.Partitions, changed = a.partitions, true
	}
	s.remember(Sample{At: a.at, Partitions: f.Partitions})
	return changed
}

// fillUnknown sets the Start and End of unknown partitions to the last known ones.
func (s *watched) fillUnknown(a answer) {
	known := s.facts.Partitions
	for _, id := range a.unknown {
		p := &a.partitions[id]
		if int(id) < len(known) {
			p.Start, p.End = known[id].Start, max(known[id].End, p.Committed)
		} else {
			p.Start, p.End = max(p.Committed, 0), max(p.Committed, 0)
		}
	}
}

// goneWith returns the value of Gone after an answer with these partitions.
func (f *Facts) goneWith(now []Partition) (gone []int32) {
	for i, p := range now {
		had := slices.Contains(f.Gone, int32(i)) || i < len(f.Partitions) && f.Partitions[i].Committed >= 0
		if had && p.Committed < 0 {
			gone = append(gone, int32(i))
		}
	}
	return gone
}

func (s *watched) setError(err error, now time.Time) bool {
	f := &s.facts
	if f.Err == nil {
		f.Since = now
	} else if !worthTelling(f.Err, err, now.Sub(s.told)) {
		return false
	}
	f.Err, s.told = err, now
	return true
}

// remember adds a sample and drops those that are too old.
func (s *watched) remember(sample Sample) {
	if s.target.History <= 0 {
		s.samples = nil
		return
	}
	kept := slices.IndexFunc(s.samples, func(old Sample) bool { return sample.At.Sub(old.At) <= s.target.History })
	if kept < 0 {
		kept = len(s.samples)
	}
	s.samples = append(slices.Delete(s.samples, 0, kept), sample)
}

// worthTelling reports whether err is news after known, which was stored the time since
// ago.
func worthTelling(known, err error, since time.Duration) bool {
	if known == nil || kindOf(known) != kindOf(err) {
		return true
	}
	return since >= errorInterval && known.Error() != err.Error()
}

type kind struct{ refused, unreachable, notEmpty bool }

func kindOf(err error) kind {
	return kind{kafka.Refused(err), errors.Is(err, kafka.ErrUnreachable), errors.Is(err, admin.ErrGroupNotEmpty)}
}
