package broker

import (
	"encoding/binary"
	"slices"
)

// AppendState appends what decides how the cluster goes on, but for the groups'
// generations and the content of the logs, of which the caller knows what matters. Two
// clusters with the same state behave alike. Epochs count from the present one of their
// transactional id, since only their order matters. Each id must have had one producer
// only.
func (c *Cluster) AppendState(b []byte) []byte {
	for i := range c.transactions {
		e := &c.transactions[i]
		b = c.appendTransaction(append(b, e.key...), e.value)
	}
	for i := range c.logs {
		b = c.appendProducers(append(b, 0xff), c.logs[i].value)
	}
	for i := range c.groups {
		b = c.appendGroup(append(b, 0xff), c.groups[i].value)
	}
	return b
}

// AppendIdentity appends an identity as AppendState does. Those that are more than one
// epoch old are alike: EndTransaction still knows the last epoch, and a log may have its
// transaction open, but nothing knows an older one.
func (c *Cluster) AppendIdentity(b []byte, id Identity) []byte {
	if i := c.ownerAt(id.Producer); i >= 0 {
		return append(b, byte(i), byte(min(c.transactions[i].value.Epoch-id.Epoch, 2)))
	}
	return append(b, 0xff, byte(id.Epoch))
}

func (c *Cluster) appendTransaction(b []byte, t *Transaction) []byte {
	b = append(b, byte(t.State), truth(t.Epoch < 0), truth(t.lastEpoch >= 0)) // the last epoch is one less, or none
	for i := range c.logs {
		b = append(b, truth(slices.Contains(t.partitions, c.logs[i].key)))
	}
	return b
}

// appendProducers appends what a log knows of each transactional id's producer.
func (c *Cluster) appendProducers(b []byte, l *Log) []byte {
	for i := range c.transactions {
		t := c.transactions[i].value
		switch s := l.state(t.Producer); {
		case s == nil:
			b = append(b, 0)
		case s.open < 0 && (s.epoch < t.Epoch || s.recent.n == 0):
			b = append(b, 1) // the next batch can only be the first one of an epoch
		default:
			b = append(b, 2, truth(s.open >= 0), byte(t.Epoch-s.epoch), byte(s.recent.n))
			if s.recent.n > 0 {
				b = append(b, byte(s.recent.last()))
			}
		}
	}
	return b
}

func (c *Cluster) appendGroup(b []byte, g *Group) []byte {
	b = append(b, truth(g.Syncing))
	for _, id := range g.members {
		b = append(b, id...)
	}
	for i := range g.offsets {
		o := &g.offsets[i]
		b = append(b, 0xff, o.Topic[0], byte(o.ID), byte(c.ownerAt(o.producer)))
		b = append(binary.AppendVarint(b, o.Offset.Offset), o.Metadata...)
	}
	return b
}

func truth(v bool) byte {
	if v {
		return 1
	}
	return 0
}
