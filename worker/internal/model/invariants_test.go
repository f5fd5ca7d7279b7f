package model

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/model/broker"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// view is what readers of committed records see, and what the group has committed, at one
// moment.
type view struct {
	results []result
	// settled has the offsets of each partition that the group's commits say are
	// settled.
	settled []map[int]bool
	closed  []bool // the commit says that the partition was given up in good order
}

func (s *schedule) look() (v view) {
	s.server.Do(func(c *broker.Cluster) {
		for id := range s.plan.outputs {
			place := broker.Partition{Topic: "out", ID: id}
			var batches []*broker.Batch
			for b, outcome := range c.Outcomes(place) {
				if outcome == broker.Kept {
					batches = append(batches, b)
				}
			}
			for _, b := range slices.Backward(batches) {
				v.results = append(v.results, resultsOf(place, b)...)
			}
		}
		for id := range s.plan.partitions {
			o, _ := c.Committed("group", broker.Partition{Topic: "in", ID: id}, false)
			settled := map[int]bool{}
			state, err := offsets.Decode(o.Metadata, o.Offset)
			if err != nil {
				s.t.Errorf("the metadata of partition %d's commit of offset %d: %v", id, o.Offset, err)
			}
			tracker := offsets.New(max(o.Offset, 0), state)
			for i := range s.plan.records {
				settled[i] = int64(i) < o.Offset || tracker.Resumed(int64(i))
			}
			v.settled = append(v.settled, settled)
			v.closed = append(v.closed, !state.Open)
		}
	})
	return v
}

// check checks the invariants that hold at every moment: nothing counts as settled before its results
// are written, the results of a key are in order, and with exactly once none is doubled.
func (s *schedule) check() {
	v := s.look()
	written := map[int32]map[int]int{} // results by partition and number
	seen := map[result]bool{}
	last := map[string]int{} // the highest number of each key
	for _, r := range v.results {
		if seen[r] && s.plan.delivery == config.ExactlyOnce {
			s.t.Errorf("the results of record %d of partition %d are doubled", r.number, r.partition)
		}
		first := !seen[r]
		seen[r] = true
		if written[r.partition] == nil {
			written[r.partition] = map[int]int{}
		}
		if first {
			written[r.partition][r.number]++
		}
		if highest, ok := last[r.key]; first && ok && r.number < highest && s.plan.ordering != config.Unordered {
			s.t.Errorf("a result of record %d of partition %d comes after one of record %d", r.number, r.partition, highest)
		}
		last[r.key] = max(last[r.key], r.number)
	}
	for id, settled := range v.settled {
		for i := range s.plan.records {
			if settled[i] && written[int32(id)][i] < s.results(i) {
				s.t.Errorf("record %d of partition %d counts as settled, and its results are not written", i, id)
			}
		}
	}
}

// checkEnd checks that nothing is left open. A request that arrives late may set back a
// partition's last commit, and that of a worker that was cut off may abort it.
func (s *schedule) checkEnd() {
	s.check()
	v := s.look()
	if s.plan.lossy > 0 || s.plan.delivery == config.ExactlyOnce && s.plan.cutsOff() {
		return
	}
	for id, closed := range v.closed {
		if !closed {
			s.t.Errorf("the commit of partition %d was left open", id)
		}
	}
}

// patience is how long the workers may take to settle everything once nothing disturbs
// them: sessions, transactions and requests of dropped ones have to time out first.
const patience = 5 * time.Minute

func (s *schedule) awaitSettled(workers []*worked) {
	for begun := time.Now(); !s.isSettled(); time.Sleep(100 * time.Millisecond) {
		s.check()
		if s.t.Failed() {
			return
		}
		if time.Since(begun) > patience {
			s.t.Errorf("not all records are settled after %v in peace", patience)
			for _, w := range workers {
				status, _ := json.MarshalIndent(w.engine.Status(), "", " ") // plain data
				s.t.Logf("%s: %s", w.host.Name, status)
			}
			return
		}
	}
}

// isSettled reports whether all results are written, and with exactly once whether the
// group's offsets say so. A commit outside of a transaction that arrives late may set an
// offset back.
func (s *schedule) isSettled() bool {
	v := s.look()
	written := map[string]int{}
	for _, r := range v.results {
		written[value(r.partition, r.number)]++
	}
	for id, settled := range v.settled {
		for i := range s.plan.records {
			switch {
			case written[value(int32(id), i)] < s.results(i):
				return false
			case s.plan.delivery == config.ExactlyOnce && !settled[i]:
				return false
			}
		}
	}
	return true
}
