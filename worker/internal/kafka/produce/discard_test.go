package produce

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// Records that were postponed are dropped: some of a batch, and all of another one. The
// others are written in their order, and nothing of the dropped ones is left.
func TestDiscardedRecordsAreNotWritten(t *testing.T) {
	w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
	w.begin()
	end := certainTroubles[0].begin(t, fake)
	first := w.write(1, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	dropped := map[int32]bool{w.write(1, 10): true}
	second := w.write(1, 10)
	dropped[w.write(1, 450)] = true // in a batch by itself
	third := w.write(1, 450)
	w.p.Cut()
	if err := w.p.FlushCut(writeContext(t)); err != nil {
		t.Fatal(err)
	}
	w.p.Discard(func(o batch.Origin) bool { return dropped[o.Index] })
	if records, _ := w.p.Buffered(); records != 3 {
		t.Errorf("%d records are left, want 3", records)
	}
	if err := w.session.End(writeContext(t), false); err != nil {
		t.Fatal(err)
	}
	end()
	w.p.Resume(w.session)
	testkit.Await(t, "the others are written", func() bool { return w.settled() == 3 })
	w.commit()
	w.expectCommitted(1, first, second, third)
	w.expectEmpty()
}

// A queue that is left without records takes others later.
func TestDiscardOfAllRecordsOfAQueue(t *testing.T) {
	w, fake := newTroubled(t, Config{})
	w.begin()
	end := certainTroubles[0].begin(t, fake)
	w.write(1, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	w.p.Cut()
	if err := w.p.FlushCut(writeContext(t)); err != nil {
		t.Fatal(err)
	}
	w.p.Discard(func(batch.Origin) bool { return true })
	w.expectEmpty()
	if err := w.session.End(writeContext(t), false); err != nil {
		t.Fatal(err)
	}
	end()
	w.p.Resume(w.session)
	last := w.write(1, 10)
	// The partition is in trouble until then, and a commit would leave the record for later.
	testkit.Await(t, "the record is written", func() bool { return w.settled() == 1 })
	w.commit()
	w.expectCommitted(1, last)
	w.expectEmpty()
}
