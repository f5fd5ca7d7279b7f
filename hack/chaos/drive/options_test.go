package drive

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

var orderings = []config.Ordering{config.Unordered, config.Key, config.Partition}

func TestEpisodes(t *testing.T) {
	for _, c := range []struct {
		duration, each time.Duration
		n              int
	}{
		{30 * time.Second, 30 * time.Second, 1},
		{2 * time.Minute, time.Minute, 2},
		{3 * time.Minute, time.Minute, 3},
		{30 * time.Minute, 5 * time.Minute, 6},
	} {
		n, each := Options{Duration: c.duration, Orderings: orderings}.episodes()
		if n != c.n || each != c.each {
			t.Errorf("%s is %d episodes of %s, want %d of %s", c.duration, n, each, c.n, c.each)
		}
	}
}

// TestEpisodesFollowFromTheSeed: and each ordering has its turn.
func TestEpisodesFollowFromTheSeed(t *testing.T) {
	for seed := range uint64(20) {
		o := Options{Seed: seed, Orderings: orderings}
		seen := map[config.Ordering]bool{}
		for n := range len(orderings) {
			a, b := o.episode(n, time.Minute), o.episode(n, time.Minute)
			if a.settings != b.settings || a.seed != b.seed || a.pick.Uint64() != b.pick.Uint64() {
				t.Errorf("seed %d, episode %d differs from itself", seed, n)
			}
			seen[a.settings.Ordering] = true
		}
		if len(seen) != len(orderings) {
			t.Errorf("seed %d has the orderings %v only", seed, seen)
		}
	}
	if a, b := (Options{Seed: 1, Orderings: orderings}).episode(0, 0), (Options{Seed: 2, Orderings: orderings}).episode(0, 0); a.seed == b.seed {
		t.Error("two seeds give the same input")
	}
}
