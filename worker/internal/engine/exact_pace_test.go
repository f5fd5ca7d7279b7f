package engine_test

import (
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// paceOf notes when transactions end at a fake's coordinator, and delays the ends.
type paceOf struct {
	mu   sync.Mutex
	ends []time.Time // when the coordinator got the requests; guarded by mu
}

func watchPace(fake *kafkatest.FakeCluster, delay time.Duration) *paceOf {
	p := &paceOf{}
	fake.Faults.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		p.mu.Lock()
		p.ends = append(p.ends, time.Now())
		p.mu.Unlock()
		if delay > 0 {
			fake.Faults.SleepControl(func() { time.Sleep(delay) })
		}
		return nil, nil, false
	})
	return p
}

// gaps returns the times between the ends.
func (p *paceOf) gaps() (gaps []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 1; i < len(p.ends); i++ {
		gaps = append(gaps, p.ends[i].Sub(p.ends[i-1]))
	}
	return gaps
}

// TestTransactionsHaveTimeForTheirRecords: where the end of a transaction takes longer than
// the interval, the next one stays open for half of the interval nevertheless, so that its
// records are written before its end begins.
func TestTransactionsHaveTimeForTheirRecords(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	const interval, end = 200 * time.Millisecond, 250 * time.Millisecond
	pace := watchPace(fake, end)
	w := r.start(identity, func(c *config.Config) { c.Transaction.Interval = duration(interval) })
	for n := 0; len(pace.gaps()) < 8; n += 10 {
		r.produce(n, 10, 4)
	}
	short := 0
	for _, gap := range pace.gaps() {
		if gap < end+interval/2 {
			short++
		}
	}
	// The first results of a partition may come when its first transaction is that old.
	if short > 2 {
		t.Errorf("%d of %v are shorter than the end and half of the interval, %v", short, pace.gaps(), end+interval/2)
	}
	w.drain()
}

// TestFirstResultsAreCommittedSoon: the first results of a partition do not wait for the
// whole interval, since its readers have waited for its handover.
func TestFirstResultsAreCommittedSoon(t *testing.T) {
	r, fake := fakeRig(t, 1)
	r.exact()
	r.produce(0, 10, 4)
	pace := watchPace(fake, 0)
	const interval = 8 * time.Second
	w := r.start(identity, func(c *config.Config) {
		c.Transaction.Interval, c.Transaction.Timeout = duration(interval), duration(2*interval)
	})
	r.eventually("the results are committed", func() bool { return len(r.committed("out")) == 10 })
	// The first transaction is the one that opens the partition.
	if gaps := pace.gaps(); len(gaps) != 1 || gaps[0] > interval*3/4 {
		t.Errorf("the results were committed %v after the partition was opened, with an interval of %v", gaps, interval)
	}
	w.drain()
}
