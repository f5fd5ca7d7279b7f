package engine

import (
	"context"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// A partition that was closed while a transaction ended may have its last commit in it. It
// is given back without another transaction then.
func TestLastCommitInAnotherTransaction(t *testing.T) {
	c := &committer{mu: signal.NewLock(), metadataLimit: offsets.MaxMetadata, exact: &transactions{}}
	p := newPartition(context.Background(), &group.Assignment{Partition: 3})
	p.tracker = offsets.New(100, offsets.State{})
	p.state.Store(int32(closing))
	if c.closed([]*partition{p}) {
		t.Error("a partition that was never committed needs no last commit")
	}
	for _, d := range c.checkpoints([]*partition{p}) {
		c.acknowledged(d)
	}
	if !c.closed([]*partition{p}) {
		t.Error("a partition that is committed needs another last commit")
	}
	p.records.Store(1) // the drain timeout has passed: its results have to be discarded
	if c.closed([]*partition{p}) {
		t.Error("a partition with records in flight needs no last commit")
	}
	p.records.Store(0)
	p.state.Store(int32(active))
	if c.closed([]*partition{p}) {
		t.Error("a partition that is not closed needs no last commit")
	}
	p.state.Store(int32(closing))
	p.foreign.Store(true)
	if c.closed([]*partition{p}) {
		t.Error("the last results of a log that is gone need no commit")
	}
}

// A transaction that has begun before the wall clock was set back is as old as before: regular
// commits would not come for that time otherwise.
func TestATransactionsAgeDoesNotDependOnTheWallClock(t *testing.T) {
	var tr transactions
	now := time.Now()
	tr.resumed.Store(&now)
	if age := tr.age(testkit.SetBack(t, now.Add(time.Second), time.Hour)); age != time.Second {
		t.Errorf("the transaction is %v old, want 1s", age)
	}
}
