package check

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// duplicate is a further copy of an output or a dead letter, and the copy before it.
type duplicate struct {
	id            workload.ID
	index         int
	first, second copyOf
}

// Cause sums up the duplicates of one kind of fault.
type Cause struct {
	Kind string `json:"kind"`
	// Faults is the number of faults of the kind that led to duplicates.
	Faults     int   `json:"faults"`
	Duplicates int64 `json:"duplicates"`
	// Most is the largest number of duplicates of one fault.
	Most int64 `json:"most"`
	// Bound is the number of outputs that the processes of the faults had written and
	// not committed. It is 0 for faults that ended no process.
	Bound int64 `json:"bound,omitempty"`
}

// explain finds the causes of the duplicates. It reports those that have none, and those
// of records that were committed before the process that wrote them again was there.
func (j *judge) explain() []Cause {
	perFault := map[fault]int64{}
	for _, d := range j.c.duplicates {
		f, ok := j.cause(d)
		switch {
		case j.c.settings.Delivery == config.ExactlyOnce:
			j.c.violations.add(Doubled, milli(d.second.at), j.describe(d)+"; at the time: "+f.kind)
		case !ok:
			j.c.violations.add(Doubled, milli(d.second.at), j.describe(d)+"; no fault explains it")
		case j.repeatsCommitted(d):
			j.c.violations.add(Doubled, milli(d.second.at), j.describe(d)+"; the record was committed before its second process started")
		}
		perFault[f]++
	}
	return j.causes(perFault)
}

func milli(at int64) time.Time { return time.UnixMilli(at) }

func (j *judge) describe(d duplicate) string {
	committed := "not committed in any sample"
	if at, ok := j.c.committedBy(d.id); ok {
		committed = "committed by " + stamp(at)
	}
	what := fmt.Sprintf("output %d", d.index)
	if d.index == letterIndex {
		what = "dead letter"
	}
	place := func(p copyOf) string {
		return fmt.Sprintf("%d@%d at %s by %s", p.partition, p.offset, stamp(milli(p.at)), j.c.processes[p.process])
	}
	return fmt.Sprintf("record %q: %s twice, %s and %s; %s", d.id, what, place(d.first), place(d.second), committed)
}

func stamp(at time.Time) string { return at.UTC().Format("15:04:05.000") }

// fault names one fault: its kind, and its process or its time.
type fault struct{ kind, which string }

// cause finds the fault that explains a duplicate: the end of the process that wrote the
// first copy and had not committed it, a fault that struck one of both processes, or one of
// Kafka's side.
func (j *judge) cause(d duplicate) (fault, bool) {
	first, second := j.c.processes[d.first.process], j.c.processes[d.second.process]
	from, to := milli(d.first.at), milli(d.second.at)
	if l, ok := j.lives[first]; ok && first != second && l.cutOff(from, to) && !j.committedBefore(d.id, l.End) {
		return fault{l.Cause, first}, true
	}
	var best *Event
	for i := range j.history.Events {
		e := &j.history.Events[i]
		if e.Graceful || e.Begin.After(to) || e.End.Add(aftermath).Before(from) {
			continue
		}
		struck := e.Process != "" && (e.Process == first || e.Process == second || d.index == letterIndex)
		if e.Process != "" && !struck {
			continue
		}
		if best == nil || struck && best.Process == "" || struck == (best.Process != "") && e.Begin.After(best.Begin) {
			best = e
		}
	}
	if best == nil {
		best = j.refusedUnsure(j.lives[first], from, to)
	}
	if best == nil {
		return fault{kind: "none"}, false
	}
	return fault{best.Kind, best.Begin.String()}, true
}

// leaveLag is how much longer a process may live after it has given its partitions back.
const leaveLag = 5 * time.Second

// refusedUnsure returns the fault for which the brokers refused a worker's requests, if the
// worker ended because of that between two times, and a fault of the network had kept an
// answer from it. Then no worker can know whether a record is written.
func (j *judge) refusedUnsure(l Life, from, to time.Time) *Event {
	if !l.Graceful || l.Cause == "exit 0" || l.End.Before(from) || l.End.After(to.Add(leaveLag)) {
		return nil
	}
	network := slices.ContainsFunc(j.history.Events, func(e Event) bool {
		return e.Network && !e.Begin.After(l.End) && !e.End.Before(from.Add(-time.Second))
	})
	for i := range j.history.Events {
		if e := &j.history.Events[i]; network && e.Refuses && !e.Begin.After(l.End) && !e.End.Add(aftermath).Before(l.End) {
			return e
		}
	}
	return nil
}

// cutOff reports whether the process was killed or crashed between two times, of which
// the first may be a second late.
func (l *Life) cutOff(from, to time.Time) bool {
	return !l.Graceful && !l.End.IsZero() && !l.End.Before(from.Add(-time.Second)) && !l.End.After(to)
}

// committedBefore reports whether a record was committed in a sample before a time.
func (j *judge) committedBefore(id workload.ID, end time.Time) bool {
	at, ok := j.c.committedBy(id)
	return ok && !at.After(end)
}

// repeatsCommitted reports whether a record was committed before the process that wrote
// it again was started. The process must have seen the commit.
func (j *judge) repeatsCommitted(d duplicate) bool {
	l, known := j.lives[j.c.processes[d.second.process]]
	at, committed := j.c.committedBy(d.id)
	return known && committed && l.Start.After(at)
}

func (j *judge) causes(perFault map[fault]int64) []Cause {
	uncommitted := j.uncommitted()
	byKind := map[string]*Cause{}
	for f, n := range perFault {
		cause := byKind[f.kind]
		if cause == nil {
			cause = &Cause{Kind: f.kind}
			byKind[f.kind] = cause
		}
		cause.Faults++
		cause.Duplicates += n
		cause.Most = max(cause.Most, n)
		cause.Bound += uncommitted[f.which]
	}
	all := make([]Cause, 0, len(byKind))
	for _, cause := range byKind {
		all = append(all, *cause)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Duplicates > all[j].Duplicates })
	return all
}

// uncommitted counts, for each process that was killed or crashed, the outputs that it
// had written, but that no committed offset of a sample before its end covers. Metadata
// does not count: a later commit may have no room for it.
func (j *judge) uncommitted() map[string]int64 {
	counts := map[string]int64{}
	count := func(id workload.ID, p *copyOf) {
		l, ok := j.lives[j.c.processes[p.process]]
		if !ok || l.Graceful || l.End.IsZero() {
			return
		}
		if !j.committedBefore(id, l.End) {
			counts[l.Process]++
		}
	}
	for i := range j.c.duplicates {
		if d := &j.c.duplicates[i]; d.index != letterIndex {
			count(d.id, &d.second)
		}
	}
	for n, p := range j.c.partitions {
		for seq := range p.slots {
			id := workload.ID{Partition: int32(n), Seq: int64(seq)}
			if first := &p.slots[seq].first; first.at != 0 {
				count(id, first)
			}
			if second := j.c.further[place{id.Partition, id.Seq, 1}]; second != nil {
				count(id, second)
			}
		}
	}
	return counts
}
