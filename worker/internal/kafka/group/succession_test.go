package group

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// noting is a member that saves its id in a file, with a session that outlasts the
// test.
func noting(file string) func(*crew) {
	return func(c *crew) {
		c.cfg.StateFile = file
		c.cfg.SessionTimeout, c.cfg.RebalanceTimeout = 4*time.Minute, 4*time.Minute
	}
}

func TestSuccession(t *testing.T) {
	f, _ := fakeFleet(t, 6)
	succession(t, f)
}

func TestSuccessionApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	succession(t, newFleet(t, &broker.Cluster, testkit.UniqueName("succession"), 6))
}

// succession kills members that stay in the group for longer than the test lasts,
// unless they are taken out of it.
func succession(t *testing.T, f *fleet) {
	dir := t.TempDir()
	file, other := noting(filepath.Join(dir, "a.json")), noting(filepath.Join(dir, "b.json"))
	a := f.start(file)
	f.await(a)
	for range 2 {
		a.kill()
		a = f.start(file)
		f.await(a)
	}
	b := f.start(other)
	f.await(a, b)
	b.kill()
	b = f.start(other)
	f.await(a, b)
	// One that has left in good order leaves nothing to do.
	b.leave()
	f.await(a)
	b = f.start(other)
	f.await(a, b)
	if lost := append(a.lostSoFar(), b.lostSoFar()...); len(lost) > 0 {
		t.Errorf("a member lost partitions: %v", lost)
	}
}

func TestSuccessionInAnotherGroup(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	file := noting(filepath.Join(t.TempDir(), "a.json"))
	a := f.start(file)
	f.await(a)
	elsewhere := newFleet(t, &cluster.Cluster, "elsewhere", 2)
	b := elsewhere.start(file)
	elsewhere.await(b)
	if lost := a.lostSoFar(); len(lost) > 0 || !a.in() {
		t.Errorf("a member of another group was taken out: %v", lost)
	}
}

// TestStateFileOutOfOrder costs a line in the log, and not the membership.
func TestStateFileOutOfOrder(t *testing.T) {
	damaged := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(damaged, []byte(`{"group": "in", "mem`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, says string }{
		"damaged":      {damaged, "read the state file " + damaged},
		"no directory": {filepath.Join(t.TempDir(), "none", "a.json"), "write the state file"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := fakeFleet(t, 2)
			var told atomic.Int32
			a := f.start(noting(c.file), func(a *crew) {
				a.cfg.Logger = funcr.New(func(_, args string) {
					if strings.Contains(args, c.says) {
						told.Add(1)
					}
				}, funcr.Options{})
			})
			f.await(a)
			a.leave()
			if n := told.Load(); n != 1 {
				t.Errorf("the log has told %d times; want once", n)
			}
		})
	}
}
