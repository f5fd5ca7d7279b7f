package kafka

import (
	"cmp"
	"slices"
)

// balancer works out who is to have which partition in the end. Members go by
// their index.
type balancer struct {
	members    []groupMember
	partitions map[string]int32
	// subscribers is who wants a topic.
	subscribers map[string][]int
	// held is what each member is to have: first what it has already, in its
	// own order, then what is new to it. The last is the first to go.
	held [][]topicPartition
	free []topicPartition
}

func newBalancer(members []groupMember, partitions map[string]int32) *balancer {
	b := &balancer{
		members: members, partitions: partitions,
		subscribers: make(map[string][]int),
		held:        make([][]topicPartition, len(members)),
	}
	for i, m := range members {
		for _, topic := range m.subscription.topics {
			if wanted := b.subscribers[topic]; len(wanted) == 0 || wanted[len(wanted)-1] != i {
				b.subscribers[topic] = append(wanted, i)
			}
		}
	}
	return b
}

// keep leaves everything where it is, as far as it exists and is still wanted
// there.
func (b *balancer) keep(owners map[topicPartition]int) {
	taken := make(map[topicPartition]bool)
	for i, m := range b.members {
		for _, t := range m.subscription.owned {
			if !slices.Contains(b.subscribers[t.topic], i) {
				continue
			}
			for _, number := range t.partitions {
				p := topicPartition{t.topic, number}
				if number < 0 || number >= b.partitions[t.topic] || owners[p] != i || taken[p] {
					continue
				}
				taken[p] = true
				b.held[i] = append(b.held[i], p)
			}
		}
	}
	for topic, count := range b.partitions {
		for number := range count {
			if p := (topicPartition{topic, number}); !taken[p] && len(b.subscribers[topic]) > 0 {
				b.free = append(b.free, p)
			}
		}
	}
}

// distribute gives what is free to who has least. Partitions with a smaller
// choice of members come first.
func (b *balancer) distribute() {
	slices.SortFunc(b.free, func(p, q topicPartition) int {
		return cmp.Or(cmp.Compare(len(b.subscribers[p.topic]), len(b.subscribers[q.topic])), p.compare(q))
	})
	for _, p := range b.free {
		to := slices.MinFunc(b.subscribers[p.topic], func(i, j int) int {
			return cmp.Compare(len(b.held[i]), len(b.held[j]))
		})
		b.held[to] = append(b.held[to], p)
	}
}

// level moves partitions from who has more to who has less until no move makes
// the difference between two members smaller.
func (b *balancer) level() {
	for b.levelOnce() {
	}
}

// levelOnce makes one move, starting at the member with most that has one.
func (b *balancer) levelOnce() bool {
	heaviest := make([]int, len(b.members))
	least := len(b.free) + 1<<20
	for i := range heaviest {
		heaviest[i] = i
		least = min(least, len(b.held[i]))
	}
	slices.SortStableFunc(heaviest, func(i, j int) int { return cmp.Compare(len(b.held[j]), len(b.held[i])) })
	for _, from := range heaviest {
		if len(b.held[from]) < least+2 {
			return false
		}
		if path := b.path(from); path != nil {
			b.shift(path)
			return true
		}
	}
	return false
}

// step is one move on the way from a member with more to one with less.
type step struct {
	from, to int
	topic    string
}

// path finds a way for a partition from a member to one that has at least two
// fewer. Members that subscribe to different topics may need it to go through
// others: each passes on a partition of a topic that the next one wants.
func (b *balancer) path(from int) []step {
	reached := make([]*step, len(b.members))
	reached[from] = &step{from: from, to: from}
	queue := []int{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		best := -1
		for _, topic := range b.topicsOf(at) {
			for _, to := range b.subscribers[topic] {
				if reached[to] != nil {
					continue
				}
				reached[to] = &step{from: at, to: to, topic: topic}
				queue = append(queue, to)
				if best < 0 || len(b.held[to]) < len(b.held[best]) {
					best = to
				}
			}
		}
		if best >= 0 && len(b.held[best])+2 <= len(b.held[from]) {
			return trace(reached, from, best)
		}
	}
	return nil
}

// topicsOf returns the topics of which a member has partitions, those that it
// would lose first in front.
func (b *balancer) topicsOf(member int) []string {
	var topics []string
	for _, p := range slices.Backward(b.held[member]) {
		if !slices.Contains(topics, p.topic) {
			topics = append(topics, p.topic)
		}
	}
	return topics
}

func trace(reached []*step, from, to int) []step {
	var path []step
	for at := to; at != from; at = reached[at].from {
		path = append(path, *reached[at])
	}
	return path
}

// shift moves one partition on each step, the last one of its topic.
func (b *balancer) shift(path []step) {
	for _, s := range path {
		held := b.held[s.from]
		for i, p := range slices.Backward(held) {
			if p.topic == s.topic {
				b.held[s.from] = slices.Delete(held, i, i+1)
				b.held[s.to] = append(b.held[s.to], p)
				break
			}
		}
	}
}
