package engine_test

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// The levels of suspicion, as the engine commits them.
const (
	levelSingle = 3
	levelAlone  = 4
)

// left makes the commit that the owner of a partition of "in" leaves when its process
// dies.
func (r *rig) left(partition int32, offset int64, reach int64, s offsets.Suspicion) {
	r.t.Helper()
	state := offsets.State{Marks: offsets.Marks{Open: true, Process: math.MaxUint32, Reach: reach, Suspicion: &s}}
	r.cluster.Commit("group", "in", map[int32]kafkatest.Committed{
		partition: {Offset: offset, LeaderEpoch: -1, Metadata: state.Encode(offset)},
	})
}

// marks returns the marks in the commit of a partition of "in".
func (r *rig) marks(partition int32) offsets.Marks {
	c := r.cluster.GroupOffsets("group")["in"][partition]
	state, err := offsets.Decode(c.Metadata, c.Offset)
	if err != nil {
		r.t.Error(err)
	}
	return state.Marks
}

// TestNoRecordIsDispatchedBeyondTheReach looks into the commits while records
// are in attempts, in normal reading and in careful reading after it.
func TestNoRecordIsDispatchedBeyondTheReach(t *testing.T) {
	r, _ := fakeRig(t, 2)
	const n = 40_000
	r.produce(0, n, 2)
	var tried atomic.Int64
	look := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if i := tried.Add(1); i%997 == 1 {
			if m := r.marks(rec.Partition); !m.Open || m.Reach <= rec.Offset {
				t.Errorf("offset %d of partition %d is in an attempt, and the commit says %+v", rec.Offset, rec.Partition, m)
			}
		}
		return rec.Value, nil
	})
	w := r.start(look)
	r.awaitSettled(w)
	w.drain()

	r.produce(n, 4000, 2)
	r.left(0, n/2, n/2+4096, offsets.Suspicion{})
	r.left(1, n/2, n/2+16, offsets.Suspicion{Next: n/2 + 16, Level: levelSingle - 1})
	w = r.start(look)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n+4000, false)
	for p := range int32(2) {
		if m := r.marks(p); m.Open || m.Suspicion != nil {
			t.Errorf("partition %d was given up in good order, and the commit says %+v", p, m)
		}
	}
}

// TestSuspectsAreTriedOneAtATime leaves one suspect in each of some partitions.
// The commit must name it before it is tried, no other suspect may be in an
// attempt, and partitions without suspicion read on.
func TestSuspectsAreTriedOneAtATime(t *testing.T) {
	const partitions, suspects = 6, 4
	r, _ := fakeRig(t, partitions)
	r.produce(0, partitions, partitions)
	for p := range int32(suspects) {
		r.left(p, 0, 1, offsets.Suspicion{Next: 1, Level: levelSingle})
	}
	var mu sync.Mutex // guards running and tried
	running, tried := 0, 0
	others := make(chan struct{}, 2)
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if rec.Partition >= suspects {
			others <- struct{}{}
			return rec.Value, nil
		}
		mu.Lock()
		running++
		tried++
		if running > 1 {
			t.Error("two suspects are tried at once")
		}
		if tried == 1 {
			<-others
			<-others
		}
		mu.Unlock()
		if m := r.marks(rec.Partition); m.Suspicion == nil || !m.Suspicion.Alone || m.Reach != 1 {
			t.Errorf("the record is tried, and the commit of its partition says %+v, %+v", m, m.Suspicion)
		}
		mu.Lock()
		defer mu.Unlock()
		running--
		return rec.Value, nil
	}))
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, partitions, false)
}

// TestRecordIsGivenUpForItsOwnCrashesOnly leaves records with the commits that crashes
// of several kinds lead to. maxAttempts is one.
func TestRecordIsGivenUpForItsOwnCrashesOnly(t *testing.T) {
	for name, tc := range map[string]struct {
		reach   int64
		s       offsets.Suspicion
		givenUp bool
	}{
		"alone in its window beside others": {1, offsets.Suspicion{Next: 1, Level: levelSingle}, false},
		"once alone":                        {1, offsets.Suspicion{Next: 1, Level: levelAlone, Alone: true}, false},
		"once alone and once beside others": {1, offsets.Suspicion{Next: 1, Level: levelAlone, Crashes: 1}, false},
		"alone, after another one had":      {1, offsets.Suspicion{Next: 2, Level: levelAlone, Crashes: 1, Alone: true}, false},
		"twice alone":                       {1, offsets.Suspicion{Next: 1, Level: levelAlone, Crashes: 1, Alone: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			r.cfg.Failure.MaxAttempts = 1
			r.produce(0, 3, 1)
			r.left(0, 0, tc.reach, tc.s)
			var tried atomic.Bool
			w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				if rec.Offset == 0 {
					tried.Store(true)
				}
				return rec.Value, nil
			}))
			r.awaitSettled(w)
			w.drain()
			letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
			if tried.Load() == tc.givenUp || (len(letters) == 1) != tc.givenUp {
				t.Errorf("tried: %v, dead letters: %d; given up should be %v", tried.Load(), len(letters), tc.givenUp)
			}
			for _, l := range letters {
				if h := headers(l); h[failure.HeaderAttempts] != "2" || h[failure.HeaderOffset] != "0" {
					t.Errorf("the dead letter says %v", h)
				}
			}
		})
	}
}

// TestSuspectThatFailsLetsOthersGoOn: a record that is tried alone and fails in
// the ordinary way has not crashed the process, and waits without the turn.
func TestSuspectThatFailsLetsOthersGoOn(t *testing.T) {
	r, _ := fakeRig(t, 3)
	r.produce(0, 30, 30)
	for p := range int32(3) {
		r.left(p, 0, 1, offsets.Suspicion{Next: 1, Level: levelSingle})
	}
	w := r.start(failsFor("0", "1"), longBackoff)
	r.wantOut(0, 30, "0", "1")
	r.eventually("the commits say that the suspects have survived", func() bool {
		for p := range int32(3) {
			if s := r.marks(p).Suspicion; s != nil && s.Alone {
				return false
			}
		}
		return true
	})
	w.drain()
}

// TestLongAttemptsLetTheirPartitionGoOn has a suspected record that takes very
// long in a window among others: its partition reads on.
func TestLongAttemptsLetTheirPartitionGoOn(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 100, 1)
	r.left(0, 0, 16, offsets.Suspicion{})
	release := make(chan struct{})
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if rec.Offset == 3 {
			<-release
		}
		return rec.Value, nil
	}), func(c *config.Config) { c.Failure.Timeout = duration(time.Minute) })
	r.wantOut(0, 100, "3")
	if s := r.marks(0).Suspicion; s == nil {
		t.Error("the record is in its attempt, and is not suspected any more")
	}
	close(release)
	r.awaitSettled(w)
	w.drain()
}
