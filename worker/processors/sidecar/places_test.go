package sidecar_test

import (
	"context"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// TestASuspectGivesItsPlaceBack: a record that waits for a process to be empty, and then finds
// another one, keeps nobody from the first.
func TestASuspectGivesItsPlaceBack(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.suspect()
	first := r.connect(2)
	busy := r.call(r.within(patience), 9, "9")
	held := first.batch()
	bad := r.call(r.within(patience), 1, "bad")
	r.awaitWaiting(1)
	second := r.connect(2)
	suspect := second.batch()

	free := r.call(r.within(patience), 10, "10") // to the first process: the second has a suspect
	first.echo(first.batch())
	r.wantEchoes(r.wait(free), "10")
	first.echo(held)
	r.wantEchoes(r.wait(busy), "9")
	second.echo(suspect)
	r.wantEchoes(r.wait(bad), "bad")
}

// suspect makes suspects of the records 1 and 2.
func (r *rig) suspect() {
	r.t.Helper()
	p := r.connect(2)
	first, second := r.call(r.within(patience), 1, "1"), r.call(r.within(patience), 2, "2")
	p.batch()
	p.batch()
	_ = p.Close()
	r.wantError(r.wait(first), true)
	r.wantError(r.wait(second), true)
}

// TestASuspectGetsItsTurn: calls that take longer than a suspect can wait don't keep it from
// an empty process for ever.
func TestASuspectGetsItsTurn(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.suspect()
	p := r.connect(2)
	long := r.call(r.within(patience), 9, "9")
	held := p.batch()
	suspect := r.call(r.within(100*time.Millisecond), 1, "1")
	r.awaitWaiting(1)
	later := r.call(r.within(patience), 10, "10")
	r.wantError(r.wait(suspect), true, "were busy for too long")

	suspect = r.call(r.within(patience), 1, "1")
	r.awaitWaiting(2) // the later call has not taken the process
	p.echo(held)
	r.wantEchoes(r.wait(long), "9")
	for _, value := range []string{"1", "10"} {
		b := p.batch()
		if got := string(b.Records[0].Value); got != value {
			t.Fatalf("the process gets record %s, want %s", got, value)
		}
		p.echo(b)
	}
	r.wantEchoes(r.wait(suspect), "1")
	r.wantEchoes(r.wait(later), "10")
}

// TestASuspectThatStaysAway: a record whose partition has moved keeps nobody from a process.
func TestASuspectThatStaysAway(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.suspect()
	p := r.connect(2)
	long := r.call(r.within(patience), 9, "9")
	held := p.batch()
	r.wantError(r.wait(r.call(r.within(100*time.Millisecond), 1, "1")), true, "were busy for too long")

	later := r.call(r.within(patience), 10, "10")
	r.awaitWaiting(1)
	p.echo(p.batch())
	r.wantEchoes(r.wait(later), "10")

	lost, lose := context.WithCancel(t.Context())
	cut := r.call(lost, 2, "2")
	r.awaitWaiting(1)
	later = r.call(r.within(patience), 11, "11")
	r.awaitWaiting(2)
	lose()
	r.wantError(r.wait(cut), true)
	p.echo(p.batch())
	r.wantEchoes(r.wait(later), "11")
	p.echo(held)
	r.wantEchoes(r.wait(long), "9")
}
