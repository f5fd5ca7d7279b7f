package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

func TestWhatIsSuspectedAfterTheLastOwner(t *testing.T) {
	open := func(reach int64, s *offsets.Suspicion) offsets.State {
		return offsets.State{Marks: offsets.Marks{Open: true, Process: 1, Reach: reach, Suspicion: s}}
	}
	closed := func(s *offsets.Suspicion) offsets.State { return offsets.State{Marks: offsets.Marks{Suspicion: s}} }
	settled := open(110, nil)
	settled.Settled = []offsets.Range{{First: 100, Next: 120}}
	for _, tc := range []struct {
		name  string
		state offsets.State
		lives bool // it is known why the owner left the partition open
		want  suspect
	}{
		{"it was closed", closed(nil), false, suspect{}},
		{"it was closed while it was searched", closed(&offsets.Suspicion{Next: 105, Level: narrow}), false, suspect{next: 105, level: narrow}},
		{"the process died", open(5000, nil), false, suspect{next: 5000, level: wide}},
		{"one record was within reach", open(101, nil), false, suspect{next: 101, level: wide}},
		{"nothing was within reach", open(100, nil), false, suspect{}},
		{"all within reach was settled", settled, false, suspect{}},
		{"the process lost the partition", open(5000, nil), true, suspect{}},
		{
			"the process lost it while it tried a record alone", open(101, &offsets.Suspicion{Next: 101, Level: alone, Alone: true}),
			true,
			suspect{next: 101, level: alone},
		},
		{"it died in a wide window", open(356, &offsets.Suspicion{Next: 5000, Level: wide}), false, suspect{next: 356, level: narrow}},
		{"in a wide window of few", open(110, &offsets.Suspicion{Next: 5000, Level: wide}), false, suspect{next: 110, level: single}},
		{"in a narrow window", open(116, &offsets.Suspicion{Next: 356, Level: narrow}), false, suspect{next: 116, level: single}},
		{"in a window of one", open(101, &offsets.Suspicion{Next: 116, Level: single}), false, suspect{next: 101, level: alone}},
		{"while nothing of the partition ran", open(100, &offsets.Suspicion{Next: 116, Level: single}), false, suspect{next: 116, level: single}},
		{
			"while it tried a record alone", open(101, &offsets.Suspicion{Next: 101, Level: alone, Alone: true}), false,
			suspect{next: 101, level: alone, crashes: 1},
		},
		{
			"and again", open(101, &offsets.Suspicion{Next: 101, Level: alone, Crashes: 1, Alone: true}), false,
			suspect{next: 101, level: alone, crashes: 2},
		},
		{
			"while it tried another record alone", open(101, &offsets.Suspicion{Next: 116, Level: alone, Crashes: 1, Alone: true}), false,
			suspect{next: 101, level: alone, crashes: 1},
		},
		{
			"when the record had survived and waited", open(101, &offsets.Suspicion{Next: 101, Level: alone, Crashes: 1}), false,
			suspect{next: 101, level: alone, crashes: 1},
		},
		{"by another version's level", closed(&offsets.Suspicion{Next: 105, Level: 200}), false, suspect{next: 105, level: alone}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := suspectOf(100, tc.state, !tc.lives); got != tc.want {
				t.Errorf("suspects %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestSuspicionEndsWithTheLog: the last owner can't have read records that were written
// after it died.
func TestSuspicionEndsWithTheLog(t *testing.T) {
	s := suspect{next: 5000, level: wide}
	s.limit(-1) // not known
	s.limit(120)
	s.limit(150) // written since
	if s.next != 120 {
		t.Errorf("suspects up to %d, want 120", s.next)
	}
	proved := suspect{next: 121, level: alone, crashes: 2}
	proved.limit(121)
	if !proved.condemns(120) || proved.condemns(119) {
		t.Errorf("%+v condemns another record than the one at 120", proved)
	}
	proved = suspect{next: 121, level: alone, crashes: 2}
	proved.limit(120) // the record is gone
	if proved.condemns(119) || proved.condemns(120) {
		t.Errorf("%+v condemns a record for the crashes of another", proved)
	}
}

func TestOneRecordIsTriedAloneAtATime(t *testing.T) {
	var turns turns
	a, b, c := &partition{}, &partition{}, &partition{}
	if !turns.share(a) || !turns.share(b) {
		t.Fatal("windows do not go on beside each other")
	}
	if turns.takeAlone(c) {
		t.Error("a record is tried alone beside windows")
	}
	if !turns.leave(a) || !turns.leave(b) || turns.leave(b) {
		t.Error("leaving is not reported once")
	}
	for range 2 {
		if !turns.takeAlone(c) {
			t.Fatal("nothing is under way, and yet a record can't be tried alone")
		}
	}
	if turns.share(a) || turns.takeAlone(b) {
		t.Error("others go on beside a record that is tried alone")
	}
	turns.leave(c)
	if !turns.takeAlone(b) {
		t.Error("the next one can't be tried alone")
	}
}

func TestEndsThatAreKnownAreNoCrashes(t *testing.T) {
	dir := t.TempDir()
	first := newLifetime(dir, logr.Discard())
	killed := newLifetime(dir, logr.Discard())
	if killed.accounts(first.process) {
		t.Error("a process that noted nothing counts as ended by itself")
	}
	first.note()
	next := newLifetime(dir, logr.Discard())
	if !next.accounts(first.process) || !next.accounts(next.process) {
		t.Error("a process that ended by itself, or the present one, counts as crashed")
	}
	if next.accounts(killed.process) || next.accounts(0) {
		t.Error("a process that did not end by itself counts as ended so")
	}
	if err := os.WriteFile(filepath.Join(dir, "ended.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := newLifetime(dir, logr.Discard()); l.accounts(first.process) {
		t.Error("a damaged note counts")
	}
	if l := newLifetime("", logr.Discard()); l.accounts(0) {
		t.Error("without a directory every end counts as known")
	}
}
