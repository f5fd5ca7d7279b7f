package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// groupEvents takes the group's news. The group's goroutine calls it, and it only
// posts to the feeder.
type groupEvents struct {
	feeder  *mailbox
	metrics *telemetry.Metrics
}

var _ group.Handler = (*groupEvents)(nil)

// Assigned implements group.Handler.
func (g *groupEvents) Assigned(generation int32, assigned []*group.Assignment) {
	g.metrics.Rebalances.Add(1)
	g.feeder.post(func(f *feeder) { f.assignments.assigned(generation, assigned) })
}

// Revoked implements group.Handler.
func (g *groupEvents) Revoked(_ int32, revoked []*group.Assignment) {
	g.feeder.post(func(f *feeder) { f.assignments.revoked(revoked) })
}

// Lost implements group.Handler.
func (g *groupEvents) Lost(lost []*group.Assignment, err error) {
	g.feeder.post(func(f *feeder) { f.assignments.lost(lost, err) })
}

// memberState is the state that /status shows of a member.
type memberState struct{ text atomic.Pointer[string] }

func (s *memberState) set(text string) { s.text.Store(&text) }
func (s *memberState) get() string     { return *s.text.Load() }

// assignments begin and end the reading of partitions as the group assigns and revokes
// them, and when the worker stops. Only the feeder's goroutine has them.
type assignments struct {
	proc     *process
	log      logr.Logger
	state    *memberState
	mail     *mailbox
	group    *group.Member
	holdings *holdings
	drains   *drains
	acquirer *acquirer
	endWork  context.CancelFunc
	exact    *transactions // nil if delivery is not ExactlyOnce
	// starting has the ends of aborted transactions under way.
	starting *sync.WaitGroup

	leaving  bool // the member stops, so it begins nothing new
	stopping bool // and it drains everything that it has
}

// assigned begins to acquire partitions. A worker that stops begins nothing: it
// keeps them until the group revokes them or it leaves the group.
func (a *assignments) assigned(generation int32, assigned []*group.Assignment) {
	a.log.Info("assigned partitions", "generation", generation, "partitions", partitionsOf(assigned))
	if a.leaving {
		return
	}
	a.state.set("running")
	if len(assigned) == 0 {
		return
	}
	var earlier []*reader
	for _, assignment := range assigned {
		// The news that the earlier assignment is over may come later than this.
		if r := a.holdings.readers[assignment.Partition]; r != nil {
			earlier = append(earlier, r)
		}
	}
	a.drop(earlier, errOverlooked)
	go a.acquirer.acquire(a.holdings.add(assigned...))
}

// acquired begins to read a partition.
func (a *assignments) acquired(p *partition) {
	r := a.holdings.of(p)
	if r == nil || !r.inState(acquiring) {
		return
	}
	r.search.suspect = p.inherited
	r.become(active)
	if s := &r.search.suspect; s.any() {
		r.become(careful)
		a.log.Info("the process of the partition's last owner died; looking for a record that crashes the worker",
			"partition", p.id, "from", p.tracker.Watermark(), "to", s.next, "recordsAtOnce", windows[s.level])
	}
	if r.revoked || a.stopping {
		a.drains.begin(r)
		return
	}
	if a.tellAssigned(r) {
		r.fetchOn()
	}
}

// replace exchanges the reader for one of the same assignment that reads another log.
func (a *assignments) replace(old *reader, t *turning) {
	a.holdings.forget(old)
	p := a.holdings.add(old.assignment)[0]
	a.acquirer.prepare(p, t.at, offsets.State{Origin: t.origin})
	if p.origin.TopicID == old.origin.TopicID {
		p.epochs.add(old.epochs.until(t.at), 0)
	}
	a.acquired(p)
	old.commits.soon()
}

func partitionsOf(assigned []*group.Assignment) []int32 {
	ids := make([]int32, 0, len(assigned))
	for _, a := range assigned {
		ids = append(ids, a.Partition)
	}
	return ids
}

// revoked begins to drain partitions that go to another member.
func (a *assignments) revoked(revoked []*group.Assignment) {
	a.log.Info("draining revoked partitions", "partitions", partitionsOf(revoked))
	var idle []*group.Assignment
	for _, assignment := range revoked {
		if r := a.holdings.under(assignment); r != nil {
			r.revoked = true
			a.drains.begin(r)
		} else {
			idle = append(idle, assignment)
		}
	}
	a.drains.giveBack(idle...)
}

// lost drops partitions that have another owner already: their records' late
// results count for nothing here.
func (a *assignments) lost(lost []*group.Assignment, err error) {
	a.log.Info("lost partitions; their next owners repeat the records in flight",
		"partitions", partitionsOf(lost), "reason", err.Error())
	var over []*reader
	for _, assignment := range lost {
		if r := a.holdings.under(assignment); r != nil {
			over = append(over, r)
		}
	}
	a.drop(over, err)
	if !a.leaving {
		a.state.set("joining")
	}
}

// errOverlooked says that a partition was lost, and that its next assignment came before
// that news.
var errOverlooked = errors.New("the partition was lost in the meantime")

// drop gives up partitions that have other owners. Their results must not be committed.
func (a *assignments) drop(lost []*reader, err error) {
	if a.exact != nil && len(lost) > 0 {
		a.exact.abort(abortLost, err) // before the partitions are released: see transactions.finish
	}
	a.holdings.forget(lost...)
}

// beginStop makes the member withdraw from the group and drain every partition. The
// partitions are read on until the group revokes them, since nobody could take them over
// before. A worker that has failed does not wait for that. The drain timeout is for both;
// then comes the time for the last commits. After that the member gives up the rest.
func (a *assignments) beginStop() {
	a.leaving = true
	a.state.set("draining")
	drain := a.proc.cfg.DrainTimeout.Duration
	a.drains.deadline = time.Now().Add(drain)
	time.AfterFunc(drain+config.LastCommitTimeout, a.endWork)
	if a.proc.failed() || a.over() || !a.group.Withdraw() {
		a.drainAll()
		return
	}
	time.AfterFunc(min(withdrawTimeout, drain/4), func() {
		a.mail.post(func(f *feeder) { f.assignments.drainAll() })
	})
}

// withdrawTimeout bounds the wait for the group's other members. It is a part of the drain
// timeout.
const withdrawTimeout = 2 * time.Second

// drainAll begins to drain every partition.
func (a *assignments) drainAll() {
	a.stopping = true
	for _, r := range a.holdings.readers {
		a.drains.begin(r)
	}
}

// abandonAll gives up everything because no drain could succeed.
func (a *assignments) abandonAll() {
	a.leaving, a.stopping = true, true
	a.drop(slices.Collect(maps.Values(a.holdings.readers)), context.Canceled)
}

// over reports whether the member stops and has given up every partition.
func (a *assignments) over() bool { return a.leaving && len(a.holdings.readers) == 0 }
