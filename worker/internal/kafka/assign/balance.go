package assign

import (
	"cmp"
	"maps"
	"slices"
)

// balance computes the assignment that the group ends up with. Members are identified by
// their index.
type balance struct {
	members     []Member
	counts      map[string]int32
	subscribers map[string][]int // by topic, without its repetitions
	// has lists each member's partitions: first those it owns, in its order, then new
	// ones. A member gives up the last ones first.
	has [][]Partition
}

func newBalance(members []Member, counts map[string]int32) *balance {
	b := &balance{
		members: members, counts: counts,
		subscribers: make(map[string][]int),
		has:         make([][]Partition, len(members)),
	}
	for i := range members {
		for _, topic := range members[i].Subscription.Topics {
			if subscribers := b.subscribers[topic]; !slices.Contains(subscribers, i) {
				b.subscribers[topic] = append(subscribers, i)
			}
		}
	}
	return b
}

// keep lets each member keep the partitions that it owns, if they exist and it still
// subscribes to their topic.
func (b *balance) keep(owners map[Partition]int) {
	kept := make(map[Partition]bool)
	for i := range b.members {
		for _, p := range b.members[i].Subscription.Owned {
			if owners[p] == i && !kept[p] && b.wants(i, p) {
				kept[p] = true
				b.has[i] = append(b.has[i], p)
			}
		}
	}
}

func (b *balance) wants(member int, p Partition) bool {
	return p.Partition >= 0 && p.Partition < b.counts[p.Topic] && slices.Contains(b.subscribers[p.Topic], member)
}

// place gives each partition without an owner to the member with the fewest. It starts
// with the topics that the fewest members subscribe to.
func (b *balance) place() {
	topics := slices.SortedFunc(maps.Keys(b.subscribers), func(s, t string) int {
		return cmp.Or(cmp.Compare(len(b.subscribers[s]), len(b.subscribers[t])), cmp.Compare(s, t))
	})
	had := make(map[Partition]bool)
	for _, has := range b.has {
		for _, p := range has {
			had[p] = true
		}
	}
	for _, topic := range topics {
		for n := range b.counts[topic] {
			if p := (Partition{topic, n}); !had[p] {
				to := slices.MinFunc(b.subscribers[topic], b.byLoad)
				b.has[to] = append(b.has[to], p)
			}
		}
	}
}

func (b *balance) byLoad(i, j int) int { return cmp.Compare(len(b.has[i]), len(b.has[j])) }

// level moves partitions until no move makes the assignment more even.
func (b *balance) level() {
	for b.levelOnce() {
	}
}

// levelOnce takes a partition from the member with the most partitions that can pass one
// on. It reports whether there is such a member.
func (b *balance) levelOnce() bool {
	order := make([]int, len(b.members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, b.byLoad)
	for _, from := range slices.Backward(order) {
		if len(b.has[from]) < len(b.has[order[0]])+2 {
			break
		}
		if to, via := b.route(from); to >= 0 {
			b.shift(from, to, via)
			return true
		}
	}
	return false
}

// hop is a step of a route: the member that passes on a partition, and the topic.
type hop struct {
	from  int
	topic string
}

// route finds the way for a partition from a member to one with at least two
// fewer. Where members subscribe to different topics it may lead through others:
// each passes on a partition of a topic that the next one wants. It returns -1
// if there is none.
func (b *balance) route(from int) (to int, via map[int]hop) {
	via = map[int]hop{from: {}}
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		best := -1
		for _, topic := range b.topicsOf(queue[0]) {
			for _, next := range b.subscribers[topic] {
				if _, reached := via[next]; reached {
					continue
				}
				via[next] = hop{queue[0], topic}
				queue = append(queue, next)
				if best < 0 || b.byLoad(next, best) < 0 {
					best = next
				}
			}
		}
		if best >= 0 && len(b.has[best])+2 <= len(b.has[from]) {
			return best, via
		}
	}
	return -1, nil
}

// topicsOf returns the topics of a member's partitions, in the order in which the member
// would lose them.
func (b *balance) topicsOf(member int) []string {
	var topics []string
	for _, p := range slices.Backward(b.has[member]) {
		if !slices.Contains(topics, p.Topic) {
			topics = append(topics, p.Topic)
		}
	}
	return topics
}

// shift moves one partition on each hop of a route, the last one of its topic.
func (b *balance) shift(from, to int, via map[int]hop) {
	for to != from {
		h := via[to]
		has := b.has[h.from]
		for i, p := range slices.Backward(has) {
			if p.Topic == h.topic {
				b.has[h.from] = slices.Delete(has, i, i+1)
				b.has[to] = append(b.has[to], p)
				break
			}
		}
		to = h.from
	}
}
