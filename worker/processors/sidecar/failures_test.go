package sidecar_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// TestFailuresAreRecentForAWhile: those within a second are one, and after five minutes of calm
// there are none.
func TestFailuresAreRecentForAWhile(t *testing.T) {
	var f sidecar.Failures
	at := time.Unix(1_000_000, 0)
	expect := func(after time.Duration, total int64, recently int, last string) {
		t.Helper()
		if s := f.Status(at.Add(after)); s.Failed != total || s.FailedRecently != recently || s.LastError != last || (s.LastFailure == nil) != (total == 0) {
			t.Errorf("after %s: %+v, want %d, %d recently, the last %q", after, s, total, recently, last)
		}
	}
	expect(0, 0, 0, "")
	for range 8 {
		f.Add(at, errors.New("gone"))
	}
	f.Add(at.Add(999*time.Millisecond), errors.New("gone too"))
	expect(time.Second, 1, 1, "gone too")
	f.Add(at.Add(time.Minute), errors.New("slow"))
	expect(time.Minute, 2, 2, "slow")
	expect(workerstatus.RecentFailures, 2, 1, "slow")
	expect(workerstatus.RecentFailures+time.Minute, 2, 0, "slow")
	for i := range 10_000 {
		f.Add(at.Add(time.Hour+time.Duration(i)*10*time.Millisecond), errors.New("nonsense"))
	}
	expect(time.Hour+100*time.Second, 102, 100, "nonsense")
}

// TestWhatCountsAsAFailure: a process that dies, hangs or speaks nonsense does, and one that ends
// in good order, or that the worker itself can't wait for, does not.
func TestWhatCountsAsAFailure(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(*rig)
		want string // "" for no failure
	}{
		"it dies": {func(r *rig) {
			p := r.connect(1)
			call := r.call(r.within(patience), 1, "1")
			p.batch()
			_ = p.Close()
			r.wait(call)
		}, "the process has ended, or closed its connection, without a Close"},
		"it takes too long": {func(r *rig) {
			p := r.connect(1)
			r.wait(r.call(r.within(50*time.Millisecond), 1, "1"))
			p.closed()
		}, "the process took longer than the timeout of an attempt"},
		"it breaks the protocol": {func(r *rig) {
			p := r.connect(1)
			p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: 99}})
			p.closed()
		}, "results of batch 99"},
		"it closes with an error": {func(r *rig) {
			p := r.connect(1)
			p.send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{Error: "out of memory"}})
			_, _ = p.Receive()
		}, "the process has closed the connection: out of memory"},
		"it speaks another version": {func(r *rig) {
			r.dial(&protocoltest.ProcessHello{MinVersion: 7, MaxVersion: 7}).closed()
		}, "the process speaks versions 7 to 7"},
		"it closes in good order": {func(r *rig) {
			p := r.connect(1)
			p.send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{}})
			_, _ = p.Receive()
		}, ""},
		"the worker closes": {func(r *rig) {
			p := r.connect(1)
			go func() {
				for f, err := p.Receive(); err == nil; f, err = p.Receive() {
					if f.Close != nil {
						_ = p.Close()
					}
				}
			}()
			r.close()
		}, ""},
		"the worker can't wait for its Close": {func(r *rig) {
			r.connect(1)
			r.close()
		}, ""},
		"the worker can't wait for its results": {func(r *rig) {
			p := r.connect(1)
			ctx, stop := context.WithCancel(t.Context())
			call := r.call(ctx, 1, "1")
			p.batch()
			stop()
			r.wait(call)
			p.closed()
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, sidecar.Batch{})
			c.act(r)
			s := r.p.Processes()
			if wanted := int64(min(len(c.want), 1)); s.Failed != wanted || !strings.Contains(s.LastError, c.want) {
				t.Errorf("the failures are %+v, want %q", s, c.want)
			}
		})
	}
}

// TestConnectedProcesses are in the status.
func TestConnectedProcesses(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.connect(1)
	r.connect(1)
	if s := r.p.Processes(); s.Connected != 2 || s.LastFailure != nil {
		t.Errorf("the status is %+v", s)
	}
}
