package broker

import (
	"cmp"
	"slices"
	"time"
)

// Partition names a partition of a topic.
type Partition struct {
	Topic string
	ID    int32
}

func comparePartitions(a, b Partition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.ID, b.ID))
}

// offsetsLog is the log of the groups' offsets. The simulation keeps the offsets in the
// groups, and only the transactions' ends in the log.
var offsetsLog = Partition{Topic: "__consumer_offsets"}

// Cluster is the state of the simulated cluster. Its methods are what brokers do at
// once; the zero time is good enough for callers without a clock.
type Cluster struct {
	// Version is the version of transactions that the cluster has finalized, 1 or 2.
	Version int
	// MaxTimeout bounds the timeout of transactions; 0 is no bound.
	MaxTimeout time.Duration

	logs         table[Partition, Log]
	transactions table[string, Transaction]
	groups       table[string, Group]
	producers    int64 // ids handed out
}

// New returns a cluster without topics.
func New(version int) *Cluster {
	c := &Cluster{Version: version}
	c.logs.put(offsetsLog, &Log{}, comparePartitions)
	return c
}

// CreateTopic adds a topic, or partitions to it.
func (c *Cluster) CreateTopic(name string, partitions int32) {
	for id := range partitions {
		if p := (Partition{name, id}); c.Log(p) == nil {
			c.logs.put(p, &Log{}, comparePartitions)
		}
	}
}

// Log returns a partition's log, nil if there is no such partition.
func (c *Cluster) Log(p Partition) *Log { return c.logs.get(p) }

// Copy makes c a copy of from, in the memory that c has.
func (c *Cluster) Copy(from *Cluster) {
	c.Version, c.MaxTimeout, c.producers = from.Version, from.MaxTimeout, from.producers
	c.logs.copy(from.logs, (*Log).copy)
	c.transactions.copy(from.transactions, (*Transaction).copy)
	c.groups.copy(from.groups, (*Group).copy)
}

// NewProducer returns the identity of a producer without transactions.
func (c *Cluster) NewProducer() Identity {
	c.producers++
	return Identity{Producer: 1000 + c.producers}
}

// Produce appends a client's batch. transactionalID is that of the request, "" for none,
// and version that of transactions which the request speaks.
func (c *Cluster) Produce(transactionalID string, version int, p Partition, b Batch, now time.Time) (base int64, code Code) {
	l := c.Log(p)
	if l == nil || p == offsetsLog {
		return -1, UnknownTopicOrPartition
	}
	if b.Transactional && !l.hasOpen(b.Identity) {
		if code := c.join(transactionalID, version, b.Identity, p, now); code != 0 {
			return -1, code
		}
	}
	return l.Append(b)
}

// join makes sure that a partition is part of the transaction before the first write to
// it: version 2 adds it, version 1 expects that the client has done so.
func (c *Cluster) join(transactionalID string, version int, id Identity, p Partition, now time.Time) Code {
	var code Code
	if version >= 2 {
		code = c.addPartition(transactionalID, id, p, now)
	} else {
		code = c.verify(transactionalID, id, p)
	}
	if code == ProducerFenced {
		return InvalidProducerEpoch
	}
	return code
}

func (c *Cluster) verify(transactionalID string, id Identity, p Partition) Code {
	t := c.Transaction(transactionalID)
	switch code := t.accepts(id); {
	case code != 0:
		return code
	case !slices.Contains(t.partitions, p):
		return TransactionAbortable
	}
	return 0
}
