package assign

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// group is the members of an imaginary group, with what they own.
type group struct {
	members    []Member
	counts     map[string]int32
	generation int32
}

func (g *group) join(id string, topics ...string) {
	g.members = append(g.members, Member{ID: id, Subscription: Subscription{Topics: topics, Generation: NoGeneration}})
}

// rebalance makes one rebalance: it assigns and lets members give up at once
// what they lose. It returns the partitions that were owned and were given to
// the same member, and whether anybody gave anything up.
func (g *group) rebalance(t *testing.T) (kept int, revoked bool) {
	t.Helper()
	before := g.owners(t)
	given := Assign(g.members, g.counts)
	g.checkValid(t, before, given)
	g.generation++
	for i := range g.members {
		m := &g.members[i]
		var owned []Partition
		for _, p := range m.Subscription.Owned {
			if slices.Contains(given[m.ID][p.Topic], p.Partition) {
				owned = append(owned, p)
				kept++
			} else {
				revoked = true
			}
		}
		for _, topic := range slices.Sorted(maps.Keys(given[m.ID])) {
			for _, n := range given[m.ID][topic] {
				if p := (Partition{topic, n}); !slices.Contains(owned, p) {
					owned = append(owned, p)
				}
			}
		}
		m.Subscription.Owned, m.Subscription.Generation = owned, g.generation
	}
	return kept, revoked
}

// owners fails the test when two members own the same partition.
func (g *group) owners(t *testing.T) map[Partition]string {
	t.Helper()
	owners := make(map[Partition]string)
	for _, m := range g.members {
		for _, p := range m.Subscription.Owned {
			if owners[p] != "" {
				t.Fatalf("%v is owned by %s and by %s", p, owners[p], m.ID)
			}
			owners[p] = m.ID
		}
	}
	return owners
}

// checkValid fails the test when a partition is given to two, to somebody who
// does not want it, or away from its owner in one step.
func (g *group) checkValid(t *testing.T, before map[Partition]string, given map[string]Assignment) {
	t.Helper()
	seen := make(map[Partition]string)
	for _, m := range g.members {
		for topic, partitions := range given[m.ID] {
			if !slices.Contains(m.Subscription.Topics, topic) {
				t.Fatalf("%s gets topic %s, to which it does not subscribe", m.ID, topic)
			}
			for _, n := range partitions {
				p := Partition{topic, n}
				if n < 0 || n >= g.counts[topic] {
					t.Fatalf("%s gets %v, which does not exist", m.ID, p)
				}
				if other := seen[p]; other != "" {
					t.Fatalf("%v is given to %s and %s", p, other, m.ID)
				}
				seen[p] = m.ID
				if owner := before[p]; owner != "" && owner != m.ID {
					t.Fatalf("%v is given to %s while %s has it", p, m.ID, owner)
				}
			}
		}
	}
}

// settle rebalances until nobody gives anything up, and returns how many
// rebalances that took.
func (g *group) settle(t *testing.T) int {
	t.Helper()
	for n := 1; ; n++ {
		if _, revoked := g.rebalance(t); !revoked {
			return n
		}
		if n > 50 {
			t.Fatal("the group does not settle")
		}
	}
}

// checkComplete fails the test when a partition that somebody wants has no owner.
func (g *group) checkComplete(t *testing.T) {
	t.Helper()
	owners := g.owners(t)
	for topic, count := range g.counts {
		wanted := slices.ContainsFunc(g.members, func(m Member) bool { return slices.Contains(m.Subscription.Topics, topic) })
		for n := range count {
			if p := (Partition{topic, n}); wanted != (owners[p] != "") {
				t.Fatalf("%v is owned by %q, wanted: %v", p, owners[p], wanted)
			}
		}
	}
}

// checkBalanced fails the test when a partition could move to a member that has
// at least two fewer.
func (g *group) checkBalanced(t *testing.T) {
	t.Helper()
	for _, m := range g.members {
		for _, p := range m.Subscription.Owned {
			for _, other := range g.members {
				if slices.Contains(other.Subscription.Topics, p.Topic) &&
					len(other.Subscription.Owned)+2 <= len(m.Subscription.Owned) {
					t.Fatalf("%s has %d partitions, among them %v; %s has %d", m.ID, len(m.Subscription.Owned), p,
						other.ID, len(other.Subscription.Owned))
				}
			}
		}
	}
}

func (g *group) loads() []int {
	var loads []int
	for _, m := range g.members {
		loads = append(loads, len(m.Subscription.Owned))
	}
	slices.Sort(loads)
	return loads
}

func testRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// change makes a random change to the group.
func (g *group) change(rnd *rand.Rand, next *int, topicsOf func() []string) {
	switch {
	case len(g.members) == 0 || rnd.IntN(3) == 0:
		*next++
		g.join(fmt.Sprintf("m%02d", *next*37%100), topicsOf()...)
	case rnd.IntN(3) == 0 && len(g.members) > 1:
		i := rnd.IntN(len(g.members))
		g.members = slices.Delete(g.members, i, i+1)
	case rnd.IntN(4) == 0:
		topics := slices.Sorted(maps.Keys(g.counts))
		g.counts[topics[rnd.IntN(len(topics))]] += int32(rnd.IntN(4))
	default: // a member comes back with nothing
		m := &g.members[rnd.IntN(len(g.members))]
		m.Subscription.Owned, m.Subscription.Generation = nil, NoGeneration
	}
}

// TestAssignSameTopics: whatever happens to a group of members with the same
// subscription, it settles in two rebalances at most, even to within one, and
// only as many partitions move as must.
func TestAssignSameTopics(t *testing.T) {
	rnd := testRand(t)
	for range 300 {
		g := &group{counts: map[string]int32{"a": int32(rnd.IntN(20)), "b": int32(rnd.IntN(5))}}
		next := 0
		for range 12 {
			for range 1 + rnd.IntN(2) {
				g.change(rnd, &next, func() []string { return []string{"a", "b"} })
			}
			mustKeep := g.mustKeep()
			kept, revoked := g.rebalance(t)
			if kept != mustKeep {
				t.Fatalf("%d partitions stayed where they were, want %d", kept, mustKeep)
			}
			if revoked {
				if _, again := g.rebalance(t); again {
					t.Fatal("not settled after two rebalances")
				}
			}
			g.checkComplete(t)
			if loads := g.loads(); loads[len(loads)-1]-loads[0] > 1 {
				t.Fatalf("not even: %v", loads)
			}
			if kept, _ := g.rebalance(t); kept != int(g.counts["a"]+g.counts["b"]) {
				t.Fatal("partitions moved without a reason")
			}
		}
	}
}

// mustKeep is how many owned partitions can stay in an even assignment: the
// members with most are those that may have one more.
func (g *group) mustKeep() int {
	total := int(g.counts["a"] + g.counts["b"])
	each, more := total/len(g.members), total%len(g.members)
	loads := g.loads()
	slices.Reverse(loads)
	kept := 0
	for i, load := range loads {
		quota := each
		if i < more {
			quota++
		}
		kept += min(load, quota)
	}
	return kept
}

// TestAssignDifferentTopics: members that subscribe to different topics get
// valid assignments that settle and that no move makes more even.
func TestAssignDifferentTopics(t *testing.T) {
	rnd := testRand(t)
	for range 300 {
		g := &group{counts: map[string]int32{}}
		topics := []string{"a", "b", "c", "d"}
		for _, topic := range topics {
			g.counts[topic] = int32(rnd.IntN(8))
		}
		next := 0
		for range 12 {
			g.change(rnd, &next, func() []string {
				rnd.Shuffle(len(topics), func(i, j int) { topics[i], topics[j] = topics[j], topics[i] })
				return slices.Clone(topics[:1+rnd.IntN(len(topics))])
			})
			if n := g.settle(t); n > 3 {
				t.Fatalf("settled after %d rebalances", n)
			}
			g.checkComplete(t)
			g.checkBalanced(t)
		}
	}
}

func TestAssignPassesPartitionsOn(t *testing.T) {
	// Only through m2 can m1's surplus get to m3.
	g := &group{counts: map[string]int32{"a": 6, "b": 3}}
	g.join("m1", "a")
	g.join("m2", "a", "b")
	g.join("m3", "b")
	g.members[0].Subscription.Owned = []Partition{{"a", 0}, {"a", 1}, {"a", 2}, {"a", 3}, {"a", 4}}
	g.members[1].Subscription.Owned = []Partition{{"a", 5}, {"b", 0}, {"b", 1}, {"b", 2}}
	g.settle(t)
	if loads := g.loads(); !slices.Equal(loads, []int{3, 3, 3}) {
		t.Errorf("loads %v, want 3 each", loads)
	}
}

func TestAssignTakesTheLastOwned(t *testing.T) {
	g := &group{counts: map[string]int32{"a": 4}}
	g.join("m1", "a")
	g.join("m2", "a")
	g.members[0].Subscription.Owned = []Partition{{"a", 2}, {"a", 0}, {"a", 3}, {"a", 1}}
	got := Assign(g.members, g.counts)
	want := map[string]Assignment{"m1": {"a": {0, 2}}, "m2": {}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAssignIsDeterministic(t *testing.T) {
	rnd := testRand(t)
	g := &group{counts: map[string]int32{"a": 17, "b": 5, "c": 3}}
	for i := range 7 {
		g.join(fmt.Sprint("m", i), []string{"a", "b", "c"}[i%3], "b")
	}
	g.settle(t)
	g.join("m7", "a", "c")
	want := Assign(g.members, g.counts)
	for range 50 {
		rnd.Shuffle(len(g.members), func(i, j int) { g.members[i], g.members[j] = g.members[j], g.members[i] })
		if got := Assign(g.members, g.counts); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestAssignConflictingClaims(t *testing.T) {
	claim := func(id string, generation int32, partitions ...int32) Member {
		s := Subscription{Topics: []string{"a"}, Generation: generation}
		for _, p := range partitions {
			s.Owned = append(s.Owned, Partition{"a", p})
		}
		return Member{ID: id, Subscription: s}
	}
	tests := map[string]struct {
		members []Member
		want    map[string]Assignment
	}{
		"the later generation wins": {
			[]Member{claim("m1", 4, 0, 1), claim("m2", 5, 0, 1), claim("m3", 5, 2)},
			map[string]Assignment{"m1": {}, "m2": {"a": {0}}, "m3": {"a": {2}}},
		},
		"whatever the order": {
			[]Member{claim("m1", 5, 0), claim("m2", 4, 0, 1), claim("m3", 5, 2)},
			map[string]Assignment{"m1": {"a": {0}}, "m2": {"a": {1}}, "m3": {"a": {2}}},
		},
		"no generation is the earliest": {
			[]Member{claim("m1", NoGeneration, 0), claim("m2", 0, 0), claim("m3", NoGeneration, 1)},
			map[string]Assignment{"m1": {"a": {2}}, "m2": {"a": {0}}, "m3": {"a": {1}}},
		},
		"equal ones lock the partition": {
			[]Member{claim("m1", 5, 0, 1), claim("m2", 5, 0), claim("m3", 4, 0, 2)},
			map[string]Assignment{"m1": {"a": {1}}, "m2": {}, "m3": {"a": {2}}},
		},
		"claims without subscription lock it too": {
			[]Member{
				{ID: "m1", Subscription: Subscription{Topics: []string{"b"}, Generation: 5, Owned: []Partition{{"a", 0}}}},
				claim("m2", 5, 1),
			},
			map[string]Assignment{"m1": {}, "m2": {"a": {1, 2}}},
		},
		"what does not exist is ignored": {
			[]Member{claim("m1", 5, 7, -1, 0, 0)},
			map[string]Assignment{"m1": {"a": {0, 1, 2}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Assign(test.members, map[string]int32{"a": 3})
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestAssignLargeGroup keeps the leader's work far below a rebalance timeout.
func TestAssignLargeGroup(t *testing.T) {
	g := &group{counts: map[string]int32{"a": 6000}}
	for i := range 300 {
		g.join(fmt.Sprintf("m%03d", i), "a")
	}
	start := time.Now()
	Assign(g.members, g.counts)
	g.settle(t)
	for i := range 30 {
		g.join(fmt.Sprintf("n%03d", i), "a")
	}
	g.settle(t)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}
