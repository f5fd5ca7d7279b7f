package assign

import (
	"cmp"
	"slices"
)

// Name is the group protocol that members agree on: the one of Java's
// CooperativeStickyAssignor.
const Name = "cooperative-sticky"

// ProtocolType is the type of the groups in which consumers share partitions.
const ProtocolType = "consumer"

// Member is a member of the group as its leader sees it.
type Member struct {
	ID           string
	Subscription Subscription
}

// Assign distributes the partitions of all subscribed topics as evenly as the
// subscriptions allow, with as few moves as possible. counts holds the number of
// partitions of each topic. A partition that moves from one member to another is assigned
// to neither at first: its owner gives it up, and the group rebalances again. The result
// does not depend on the order of the members.
func Assign(members []Member, counts map[string]int32) map[string]Assignment {
	members = slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	owners := claims(members)
	b := newBalance(members, counts)
	b.keep(owners)
	b.place()
	b.level()
	result := make(map[string]Assignment, len(members))
	for i := range members {
		result[members[i].ID] = b.given(i, owners)
	}
	return result
}

// nobody is the owner of a partition that two members of the same generation claim. Both
// may be processing it, so no member gets it until both have given it up.
const nobody = -1

// claims returns the index of the member that owns each partition. If several members
// claim it, the highest generation wins: the others missed a rebalance.
func claims(members []Member) map[Partition]int {
	owners := make(map[Partition]int)
	generations := make(map[Partition]int32)
	for i := range members {
		generation := members[i].Subscription.Generation
		for _, p := range members[i].Subscription.Owned {
			owner, claimed := owners[p]
			switch {
			case !claimed || generation > generations[p]:
				owners[p], generations[p] = i, generation
			case generation == generations[p] && owner != i:
				owners[p] = nobody
			}
		}
	}
	return owners
}

// given returns the partitions that a member gets in this rebalance.
func (b *balance) given(i int, owners map[Partition]int) Assignment {
	a := make(Assignment)
	for _, p := range b.has[i] {
		if owner, owned := owners[p]; owned && owner != i {
			continue // its owner must give it up first
		}
		a[p.Topic] = append(a[p.Topic], p.Partition)
	}
	for topic := range a {
		slices.Sort(a[topic])
	}
	return a
}
