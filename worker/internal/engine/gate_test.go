package engine

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// The pool makes its goroutines' attempts under its lock. The sweep of stragglers waits for
// that lock while it keeps goroutines in their doors waiting, and the committer waits for
// those: if an attempt waited for the committer, nobody would go on.
func TestAGrowingPoolDoesNotWaitForACommit(t *testing.T) {
	s := &settler{proc: &process{code: &usercode.Code{}}, exact: &transactions{}}
	made := make(chan *attempt, 1)
	s.exact.gate.alone(func() {
		go func() { made <- newAttempt(s) }()
		select {
		case a := <-made:
			made <- a
		case <-time.After(10 * time.Second):
			t.Error("a goroutine can't be made before the commit has ended")
		}
	})
	a := <-made
	d := a.ownDoor()
	if d != a.ownDoor() || len(s.exact.gate.doors) != 1 {
		t.Errorf("the goroutine has %d doors, want one", len(s.exact.gate.doors))
	}
}
