package broker

import (
	"math"
	"slices"
	"strings"
	"time"
)

// TransactionState is a step of a transactional id.
type TransactionState uint8

// The states.
const (
	Empty TransactionState = iota
	Ongoing
	PrepareCommit
	PrepareAbort
	CompleteCommit
	CompleteAbort
)

// Transaction is what the coordinator knows of a transactional id.
type Transaction struct {
	Identity
	State TransactionState
	// Since is when the open transaction began.
	Since   time.Time
	Timeout time.Duration

	lastEpoch  int16 // before the last bump that the producer has asked for itself; -1 for none
	partitions []Partition
}

func (t *Transaction) copy(from *Transaction) {
	partitions := append(t.partitions[:0], from.partitions...)
	*t = *from
	t.partitions = partitions
}

// IsOver reports whether requests under an identity change nothing any more, other than
// InitProducer: the epoch is over, and no log has its transaction open.
func (c *Cluster) IsOver(id string, identity Identity) bool {
	t := c.Transaction(id)
	if t == nil || t.Producer != identity.Producer || t.Epoch <= identity.Epoch {
		return false
	}
	for i := range c.logs {
		if c.logs[i].value.hasOpen(identity) {
			return false
		}
	}
	return true
}

// IsPrepared reports whether it is decided how the transaction ends, and the logs don't
// say so yet.
func (t *Transaction) IsPrepared() bool {
	return t.State == PrepareCommit || t.State == PrepareAbort
}

// Transaction returns the state of a transactional id, nil if it was never used.
func (c *Cluster) Transaction(id string) *Transaction { return c.transactions.get(id) }

// Transactions calls visit for each transactional id.
func (c *Cluster) Transactions(visit func(id string, t *Transaction)) {
	for _, e := range c.transactions {
		visit(e.key, e.value)
	}
}

// InitProducer gives a producer its identity, and fences whoever has the transactional id
// so far. An open transaction is aborted first: ConcurrentTransactions until that is
// done. former is the identity that the producer had, or NoIdentity.
func (c *Cluster) InitProducer(id string, former Identity, timeout time.Duration, now time.Time) (Identity, Code) {
	if timeout <= 0 || c.MaxTimeout > 0 && timeout > c.MaxTimeout {
		return NoIdentity, InvalidTransactionTimeout
	}
	t := c.Transaction(id)
	if t == nil {
		t = &Transaction{Identity: Identity{c.NewProducer().Producer, -1}, lastEpoch: -1}
		c.transactions.put(id, t, strings.Compare)
	}
	if former != NoIdentity && t.Epoch >= 0 && former.Producer != t.Producer {
		return NoIdentity, ProducerFenced
	}
	switch t.State {
	case PrepareCommit, PrepareAbort:
		return NoIdentity, ConcurrentTransactions
	case Ongoing:
		c.fence(t)
		return NoIdentity, ConcurrentTransactions
	}
	if code := t.bump(c, former); code != 0 {
		return NoIdentity, code
	}
	t.State, t.Timeout, t.Since, t.partitions = Empty, timeout, now, t.partitions[:0]
	return t.Identity, 0
}

// bump gives the id's producer its next epoch, unless it has asked for it before.
func (t *Transaction) bump(c *Cluster, former Identity) Code {
	switch {
	case former == NoIdentity:
		t.lastEpoch = -1
	case t.Epoch < 0 || former.Epoch == t.Epoch:
		t.lastEpoch = t.Epoch
	case former.Epoch == t.lastEpoch:
		return 0
	default:
		return ProducerFenced
	}
	if t.Epoch >= math.MaxInt16-1 {
		t.Identity = c.NewProducer()
		return 0
	}
	t.Epoch++
	return 0
}

// fence begins to abort an open transaction under an epoch that no producer has. On
// version 2 its producer may ask for the next epoch, on version 1 it is fenced for good.
func (c *Cluster) fence(t *Transaction) {
	t.lastEpoch = -1
	if c.Version >= 2 {
		t.lastEpoch = t.Epoch
	}
	t.Epoch++
	t.State = PrepareAbort
}

// AddPartitions makes partitions part of the transaction, as version 1 needs.
func (c *Cluster) AddPartitions(id string, identity Identity, partitions []Partition, now time.Time) Code {
	for _, p := range partitions {
		if c.Log(p) == nil {
			return UnknownTopicOrPartition
		}
	}
	for _, p := range partitions {
		if code := c.addPartition(id, identity, p, now); code != 0 {
			return code
		}
	}
	return 0
}

// AddOffsets makes the groups' offsets part of the transaction, as version 1 needs.
func (c *Cluster) AddOffsets(id string, identity Identity, now time.Time) Code {
	return c.addPartition(id, identity, offsetsLog, now)
}

func (c *Cluster) addPartition(id string, identity Identity, p Partition, now time.Time) Code {
	t := c.Transaction(id)
	if code := t.accepts(identity); code != 0 {
		return code
	}
	if t.State != Ongoing {
		t.State, t.Since, t.partitions = Ongoing, now, t.partitions[:0]
	}
	if !slices.Contains(t.partitions, p) {
		t.partitions = append(t.partitions, p)
	}
	return 0
}

// accepts checks that a producer may write in a transaction.
func (t *Transaction) accepts(id Identity) Code {
	switch {
	case t == nil || t.Producer != id.Producer:
		return InvalidProducerIDMapping
	case t.Epoch != id.Epoch:
		return ProducerFenced
	case t.IsPrepared():
		return ConcurrentTransactions
	}
	return 0
}

// EndTransaction prepares to commit or abort. It returns the identity to go on with,
// which version 2 changes. Complete does the rest, later.
func (c *Cluster) EndTransaction(id string, version int, identity Identity, commit bool, now time.Time) (Identity, Code) {
	t := c.Transaction(id)
	switch {
	case t == nil || t.Producer != identity.Producer:
		return NoIdentity, InvalidProducerIDMapping
	case version >= 2:
		return t.end2(identity, commit, now)
	case t.Epoch != identity.Epoch:
		return NoIdentity, ProducerFenced
	default:
		return t.end1(commit)
	}
}

// end1 ends a transaction of version 1. A request that comes again can't be told from one
// for the next transaction.
func (t *Transaction) end1(commit bool) (Identity, Code) {
	switch t.State {
	case Ongoing:
		t.prepare(commit)
		return t.Identity, 0
	case CompleteCommit, CompleteAbort:
		if commit == (t.State == CompleteCommit) {
			return t.Identity, 0
		}
	case PrepareCommit, PrepareAbort:
		if commit == (t.State == PrepareCommit) {
			return NoIdentity, ConcurrentTransactions
		}
	}
	return NoIdentity, InvalidTxnState
}

// end2 ends a transaction of version 2, in which the epoch tells a request that comes
// again from the next one.
func (t *Transaction) end2(identity Identity, commit bool, now time.Time) (Identity, Code) {
	again := t.Epoch == identity.Epoch+1
	switch t.State {
	case PrepareCommit, PrepareAbort:
		if !again {
			return NoIdentity, ProducerFenced
		}
		if commit == (t.State == PrepareCommit) {
			return NoIdentity, ConcurrentTransactions
		}
		return NoIdentity, InvalidTxnState
	case CompleteCommit, CompleteAbort:
		if again && commit == (t.State == CompleteCommit) {
			return t.Identity, 0
		}
		if again {
			return NoIdentity, InvalidTxnState
		}
	}
	if t.Epoch != identity.Epoch {
		return NoIdentity, ProducerFenced
	}
	if t.State != Ongoing {
		if commit {
			return NoIdentity, InvalidTxnState
		}
		t.Since, t.partitions = now, t.partitions[:0] // an abort of nothing bumps the epoch as well
	}
	t.lastEpoch = t.Epoch
	t.Epoch++
	t.prepare(commit)
	return t.Identity, 0
}

func (t *Transaction) prepare(commit bool) {
	t.State = PrepareAbort
	if commit {
		t.State = PrepareCommit
	}
}

// Complete writes the control batches of a prepared transaction and reports whether there
// was one.
func (c *Cluster) Complete(id string) bool {
	t := c.Transaction(id)
	if t == nil || !t.IsPrepared() {
		return false
	}
	commit := t.State == PrepareCommit
	for _, p := range t.partitions {
		c.Log(p).endTransaction(t.Identity, commit)
		if p == offsetsLog {
			for _, e := range c.groups {
				e.value.endTransaction(t.Producer, commit)
			}
		}
	}
	t.State, t.partitions = CompleteAbort, t.partitions[:0]
	if commit {
		t.State = CompleteCommit
	}
	return true
}

// Expire begins to abort an open transaction that has lasted too long.
func (c *Cluster) Expire(id string) bool {
	t := c.Transaction(id)
	if t == nil || t.State != Ongoing {
		return false
	}
	c.fence(t)
	return true
}
