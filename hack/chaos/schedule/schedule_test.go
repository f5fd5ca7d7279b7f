package schedule

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

var kinds = []Kind{
	{Name: "kill", Class: "process", Lanes: 2, Weight: 3, Recovery: 2 * time.Second},
	{Name: "pause", Class: "process", Lanes: 2, Weight: 1, Hold: [2]time.Duration{7 * time.Second, 9 * time.Second}},
	{Name: "broker", Class: "broker", Weight: 2, Hold: [2]time.Duration{time.Second, 5 * time.Second}, Recovery: 8 * time.Second},
	{Name: "growth", Class: "topic", Weight: 1, Most: 2},
}

func make10(seed uint64) []Step {
	return Make(rand.New(rand.NewPCG(seed, 0)), kinds, time.Minute, 11*time.Minute)
}

func TestASeedGivesTheSameSchedule(t *testing.T) {
	if !reflect.DeepEqual(make10(7), make10(7)) {
		t.Error("the same seed gives another schedule")
	}
	if reflect.DeepEqual(make10(7), make10(8)) {
		t.Error("another seed gives the same schedule")
	}
}

// TestFaultsOfALaneDoNotOverlap: others do, and each kind occurs.
func TestFaultsOfALaneDoNotOverlap(t *testing.T) {
	overlaps, counts := 0, map[string]int{}
	recovery := map[string]time.Duration{}
	for _, k := range kinds {
		recovery[k.Name] = k.Recovery
	}
	steps := make10(3)
	for i, s := range steps {
		counts[s.Kind]++
		if s.At < time.Minute || s.At+s.Hold > 11*time.Minute {
			t.Errorf("%v is not within the time", s)
		}
		for _, later := range steps[i+1:] {
			if later.At >= s.At+s.Hold {
				continue
			}
			overlaps++
			if later.Lane == s.Lane {
				t.Errorf("%v and %v overlap in one lane", s, later)
			}
		}
		for _, later := range steps[i+1:] {
			if later.Lane == s.Lane && later.At < s.At+s.Hold+recovery[s.Kind] {
				t.Errorf("%v begins before the recovery from %v", later, s)
			}
		}
	}
	if overlaps == 0 || len(counts) != len(kinds) || counts["growth"] != 2 {
		t.Errorf("%d overlaps, counts %v", overlaps, counts)
	}
}

func TestByLaneKeepsAllSteps(t *testing.T) {
	steps, n := make10(5), 0
	for lane, of := range ByLane(steps) {
		for i, s := range of {
			n++
			if s.Lane != lane || i > 0 && s.At < of[i-1].At {
				t.Errorf("lane %v has %v at place %d", lane, s, i)
			}
		}
	}
	if n != len(steps) {
		t.Errorf("%d of %d steps", n, len(steps))
	}
}
