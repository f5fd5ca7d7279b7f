package main

import (
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSignalsAtOnceAreOneWish: a process group gets a signal from its parent and from the
// terminal, and the user wants to drain all the same.
func TestSignalsAtOnceAreOneWish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received, drained, aborted := make(chan os.Signal), false, false
		go func() {
			heed(received, func() { drained = true })
			aborted = true
		}()
		for _, step := range []struct {
			after            time.Duration
			drained, aborted bool
		}{
			{0, true, false},
			{time.Millisecond, true, false},
			{sameWish / 2, true, false},
			{sameWish, true, true},
		} {
			time.Sleep(step.after)
			received <- syscall.SIGTERM
			synctest.Wait()
			if drained != step.drained || aborted != step.aborted {
				t.Errorf("a signal after %v: drains %t, aborts %t", step.after, drained, aborted)
			}
		}
	})
}
