package broker

import (
	"slices"
	"strings"
	"time"
)

// MaxMetadata is how many bytes of metadata are kept with an offset.
const MaxMetadata = 4096

// Offset is a group's offset in a partition.
type Offset struct {
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

var noOffset = Offset{Offset: -1, LeaderEpoch: -1}

// PartitionOffset is an offset with its partition.
type PartitionOffset struct {
	Partition
	Offset
}

// groupOffset is an offset as a group keeps it.
type groupOffset struct {
	PartitionOffset
	producer int64 // whose open transaction it is part of; noProducer if it counts
}

const noProducer = -1

// Group is a consumer group: the members that may commit, and its offsets.
type Group struct {
	Generation int32
	// Syncing is set while the members of the generation don't have their
	// assignments yet. Commits outside of transactions must wait.
	Syncing bool

	members []string // the ids of those that may commit
	// offsets are in the order of their partitions, and those of a partition in the
	// order in which they were written: of two that count the later one does.
	offsets []groupOffset
}

// Group returns a group, which it makes if there is none.
func (c *Cluster) Group(id string) *Group {
	g := c.groups.get(id)
	if g == nil {
		g = &Group{}
		c.groups.put(id, g, strings.Compare)
	}
	return g
}

func (g *Group) copy(from *Group) {
	members, offsets := append(g.members[:0], from.members...), append(g.offsets[:0], from.offsets...)
	*g = *from
	g.members, g.offsets = members, offsets
}

// IsMember reports whether the group has a member.
func (g *Group) IsMember(id string) bool { return slices.Contains(g.members, id) }

// Admit adds a member.
func (g *Group) Admit(id string) { g.members = append(g.members, id) }

// Expel removes a member, if the group has it.
func (g *Group) Expel(id string) {
	g.members = slices.DeleteFunc(g.members, func(m string) bool { return m == id })
}

// ExpelAll removes all members.
func (g *Group) ExpelAll() { g.members = g.members[:0] }

// Member is the sender of a commit.
type Member struct {
	ID         string
	Generation int32
}

// validate checks that a commit comes from a member of the present generation.
func (g *Group) validate(m Member, transactional bool) Code {
	switch {
	case m.Generation < 0 && len(g.members) == 0, m == Member{Generation: -1} && transactional:
		return 0
	case !g.IsMember(m.ID):
		return UnknownMemberID
	case m.Generation != g.Generation:
		return IllegalGeneration
	case g.Syncing && !transactional:
		return RebalanceInProgress
	}
	return 0
}

// Commit stores a member's offset outside of transactions.
func (c *Cluster) Commit(group string, m Member, p Partition, o Offset) Code {
	g := c.Group(group)
	if code := g.validate(m, false); code != 0 {
		return code
	}
	if len(o.Metadata) > MaxMetadata {
		return OffsetMetadataTooLarge
	}
	g.write(groupOffset{PartitionOffset{p, o}, noProducer})
	return 0
}

// CommitInTransaction stores offsets that count once the transaction is committed.
func (c *Cluster) CommitInTransaction(
	id string, version int, identity Identity, group string, m Member, offsets []PartitionOffset, now time.Time,
) Code {
	l := c.Log(offsetsLog)
	if !l.hasOpen(identity) {
		if code := c.join(id, version, identity, offsetsLog, now); code != 0 {
			return code
		}
	}
	g := c.Group(group)
	if code := g.validate(m, true); code != 0 {
		return code
	}
	s := l.makeState(identity.Producer)
	if identity.Epoch < s.epoch {
		return InvalidProducerEpoch
	}
	s.epoch = identity.Epoch
	if s.open < 0 {
		s.open = l.End
	}
	for _, o := range offsets {
		g.write(groupOffset{o, identity.Producer})
	}
	return 0
}

// write adds an offset. It replaces that of the same transaction, or outside of one.
func (g *Group) write(o groupOffset) {
	g.remove(func(x *groupOffset) bool { return x.Partition == o.Partition && x.producer == o.producer })
	at := 0
	for at < len(g.offsets) && comparePartitions(g.offsets[at].Partition, o.Partition) <= 0 {
		at++
	}
	g.offsets = slices.Insert(g.offsets, at, o)
}

func (g *Group) remove(which func(*groupOffset) bool) {
	g.offsets = slices.DeleteFunc(g.offsets, func(o groupOffset) bool { return which(&o) })
}

// Committed returns a group's offset; -1 is none. With stable set, an offset that a
// transaction is about to replace is UnstableOffsetCommit.
func (c *Cluster) Committed(group string, p Partition, stable bool) (Offset, Code) {
	g := c.Group(group)
	if stable && g.IsUnstable(p) {
		return noOffset, UnstableOffsetCommit
	}
	for i := range g.offsets {
		if o := &g.offsets[i]; o.Partition == p && o.producer == noProducer {
			return o.Offset, 0
		}
	}
	return noOffset, 0
}

// IsUnstable reports whether an open transaction has an offset of the partition.
func (g *Group) IsUnstable(p Partition) bool {
	for i := range g.offsets {
		if o := &g.offsets[i]; o.Partition == p && o.producer != noProducer {
			return true
		}
	}
	return false
}

// endTransaction takes over the offsets of a transaction, but for those that a later
// commit has replaced.
func (g *Group) endTransaction(producer int64, commit bool) {
	if !commit {
		g.remove(func(o *groupOffset) bool { return o.producer == producer })
		return
	}
	for i := range g.offsets {
		if o := &g.offsets[i]; o.producer == producer {
			o.producer = noProducer
		}
	}
	kept := g.offsets[:0]
	for i := range g.offsets {
		if !g.isReplaced(i) {
			kept = append(kept, g.offsets[i])
		}
	}
	g.offsets = kept
}

// isReplaced reports whether a later offset than the one at i counts.
func (g *Group) isReplaced(i int) bool {
	o := &g.offsets[i]
	return o.producer == noProducer && slices.ContainsFunc(g.offsets[i+1:], func(later groupOffset) bool {
		return later.Partition == o.Partition && later.producer == noProducer
	})
}
