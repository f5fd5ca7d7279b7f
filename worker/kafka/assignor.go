package kafka

import (
	"cmp"
	"maps"
	"slices"
)

// assignorName is the group protocol that members agree on: the one of Java's
// CooperativeStickyAssignor.
const assignorName = "cooperative-sticky"

// groupMember is a member of the group as its leader sees it.
type groupMember struct {
	id           string
	subscription subscription
}

// assign distributes the partitions of all subscribed topics: as evenly as the
// subscriptions allow, with as few moves as that takes. counts are the topics'
// partitions. A partition that is to move away from a member that owns it is
// given to nobody yet: its owner gives it up first and the group rebalances
// again. The result does not depend on the members' order.
func assign(members []groupMember, counts map[string]int32) map[string]assignment {
	members = slices.SortedFunc(slices.Values(members), func(a, b groupMember) int { return cmp.Compare(a.id, b.id) })
	owners := claims(members, counts)
	b := newBalance(members, counts, owners)
	b.place()
	b.level()
	result := make(map[string]assignment, len(members))
	for i := range members {
		result[members[i].id] = b.given(i, owners)
	}
	return result
}

// claims returns the index of the member that owns each partition. Of several
// claims the one of the highest generation counts, since the others missed a
// rebalance; equal ones cancel each other out.
func claims(members []groupMember, counts map[string]int32) map[topicPartition]int {
	owners := make(map[topicPartition]int)
	disputed := make(map[topicPartition]int32) // the generation of equal claims
	for i := range members {
		s := &members[i].subscription
		for _, p := range s.owned {
			if p.partition >= counts[p.topic] || !slices.Contains(s.topics, p.topic) {
				continue
			}
			owner, taken := owners[p]
			switch generation, isDisputed := disputed[p]; {
			case isDisputed && s.generation <= generation:
			case !taken, members[owner].subscription.generation < s.generation:
				owners[p] = i
				delete(disputed, p)
			case members[owner].subscription.generation == s.generation && owner != i:
				delete(owners, p)
				disputed[p] = s.generation
			}
		}
	}
	return owners
}

// balance is an assignment in the making.
type balance struct {
	members []groupMember
	// has lists each member's partitions; those that it would rather give up
	// are last.
	has  [][]topicPartition
	free []topicPartition
}

func newBalance(members []groupMember, counts map[string]int32, owners map[topicPartition]int) *balance {
	b := &balance{members: members, has: make([][]topicPartition, len(members))}
	for i := range members {
		for _, p := range members[i].subscription.owned {
			if owner, ok := owners[p]; ok && owner == i && !slices.Contains(b.has[i], p) {
				b.has[i] = append(b.has[i], p)
			}
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(counts)) {
		for n := range counts[topic] {
			if p := (topicPartition{topic, n}); !b.owned(owners, p) {
				b.free = append(b.free, p)
			}
		}
	}
	return b
}

func (b *balance) owned(owners map[topicPartition]int, p topicPartition) bool {
	_, ok := owners[p]
	return ok
}

// place gives the free partitions to who has the least.
func (b *balance) place() {
	for _, p := range b.free {
		if to := b.least(p.topic); to >= 0 {
			b.has[to] = append(b.has[to], p)
		}
	}
}

// least returns the member with the fewest partitions among the topic's
// subscribers, -1 if there are none.
func (b *balance) least(topic string) int {
	least := -1
	for i := range b.members {
		if slices.Contains(b.members[i].subscription.topics, topic) && (least < 0 || len(b.has[i]) < len(b.has[least])) {
			least = i
		}
	}
	return least
}

// level moves partitions until no move makes the assignment more even.
func (b *balance) level() {
	for moved := true; moved; {
		moved = false
		for from := range b.has {
			for k := len(b.has[from]) - 1; k >= 0; k-- {
				p := b.has[from][k]
				to := b.least(p.topic)
				if len(b.has[from]) < len(b.has[to])+2 {
					continue
				}
				b.has[from] = slices.Delete(b.has[from], k, k+1)
				b.has[to] = append(b.has[to], p)
				moved = true
			}
		}
	}
}

// given is what a member gets in this rebalance.
func (b *balance) given(i int, owners map[topicPartition]int) assignment {
	a := make(assignment)
	for _, p := range b.has[i] {
		if owner, ok := owners[p]; ok && owner != i {
			continue // its owner must give it up first
		}
		a[p.topic] = append(a[p.topic], p.partition)
	}
	for topic := range a {
		slices.Sort(a[topic])
	}
	return a
}
