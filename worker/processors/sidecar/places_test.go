package sidecar_test

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// TestASuspectGivesItsPlaceBack: a record that waits for a process to be empty, and then finds
// another one, keeps nobody from the first.
func TestASuspectGivesItsPlaceBack(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	bad, good := r.call(r.within(patience), 1, "bad"), r.call(r.within(patience), 2, "good")
	p.batch()
	p.batch()
	_ = p.Close()
	r.wantError(r.wait(bad), true)
	r.wantError(r.wait(good), true)

	first := r.connect(2)
	busy := r.call(r.within(patience), 9, "9")
	held := first.batch()
	bad = r.call(r.within(patience), 1, "bad")
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
