package kafka

import (
	"cmp"
	"maps"
	"slices"
)

// cooperativeSticky is the name of the assignment protocol, as Java's clients
// and franz-go's call it.
const cooperativeSticky = "cooperative-sticky"

// groupMember is a member as the group's leader sees it.
type groupMember struct {
	id           string
	subscription *subscription
}

// topicPartition names one partition.
type topicPartition struct {
	topic     string
	partition int32
}

func (p topicPartition) compare(q topicPartition) int {
	return cmp.Or(cmp.Compare(p.topic, q.topic), cmp.Compare(p.partition, q.partition))
}

// assign distributes the partitions of all topics (partitions says how many each
// has) over the members that subscribe to them: evenly, and with as few moves as
// that allows. A partition that moves away from a member which still has it is
// given to nobody: its owner gives it up and joins again, and then the new owner
// gets it. The same input gives the same result, whatever its order.
//
// The result has an entry for each member, by member id.
func assign(members []groupMember, partitions map[string]int32) map[string][]topicPartitions {
	members = slices.SortedFunc(slices.Values(members), func(a, b groupMember) int { return cmp.Compare(a.id, b.id) })
	owners := claims(members)
	b := newBalancer(members, partitions)
	b.keep(owners)
	b.distribute()
	b.level()
	result := make(map[string][]topicPartitions, len(members))
	for i, m := range members {
		result[m.id] = byTopic(slices.DeleteFunc(b.held[i], func(p topicPartition) bool {
			owner, owned := owners[p]
			return owned && owner != i
		}))
	}
	return result
}

// nobody is in the place of an owner where two members of one generation claim
// a partition: neither can be believed, and both have to give it up first.
const nobody = -1

// claims tells who owns what, as an index of members. Of two claims the one of
// the later generation counts: the other member missed that it had lost the
// partition.
func claims(members []groupMember) map[topicPartition]int {
	owners := make(map[topicPartition]int)
	generations := make(map[topicPartition]int32)
	for i, m := range members {
		for _, t := range m.subscription.owned {
			for _, number := range t.partitions {
				p := topicPartition{t.topic, number}
				other, claimed := owners[p]
				switch generation := m.subscription.generation; {
				case !claimed || generation > generations[p]:
					owners[p], generations[p] = i, generation
				case generation == generations[p] && other != i:
					owners[p] = nobody
				}
			}
		}
	}
	return owners
}

// byTopic brings partitions into the order of the protocol.
func byTopic(held []topicPartition) []topicPartitions {
	topics := make(map[string][]int32)
	for _, p := range held {
		topics[p.topic] = append(topics[p.topic], p.partition)
	}
	var list []topicPartitions
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		numbers := topics[topic]
		slices.Sort(numbers)
		list = append(list, topicPartitions{topic, numbers})
	}
	return list
}
