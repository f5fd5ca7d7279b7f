package produce

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
)

// Transaction is what the Producer needs of a transaction to write in it. A *txn.Session
// is one.
type Transaction interface {
	// ID returns the transactional id.
	ID() string
	// Identity returns the producer id and epoch that the transaction's records carry.
	Identity() batch.Identity
	// Version returns the version of the transaction protocol: 1, or 2, in which the
	// brokers add partitions to the transaction by themselves.
	Version() int
	// AddPartitions makes partitions part of the transaction, which version 1 requires
	// before records are sent to them, and version 2 allows. Several goroutines may call it.
	AddPartitions(ctx context.Context, partitions []txn.TopicPartition) error
}

// The reasons for which a transaction is doomed, as Config.OnDoomed gets them.
const (
	// doomedFenced: a broker knows a newer epoch, since another producer has the
	// transactional id, or the coordinator has ended the transaction.
	doomedFenced = "Fenced"
	// doomedSequence: a broker does not know the partition's sequence.
	doomedSequence = "SequenceLost"
	// doomedAborted: the cluster refuses the transaction.
	doomedAborted = "EndedByCoordinator"
	// doomedForbidden: this user may not use the transactional id.
	doomedForbidden = "NotAuthorized"
	// doomedUnknown: nobody knows whether records are part of the transaction.
	doomedUnknown = "UnknownOutcome"
)

var (
	errNoTransaction = errors.New("no transaction is open")
	errReset         = errors.New("the transaction was given up")
)

// transactions divides the records of a transactional Producer into transactions. Each
// batch has the number of its transaction, and the numbers in a queue never fall. Senders
// take the batches up to a number: those of the present transaction. The zero value, of a
// Producer without transactions, lets all batches pass: their number is 0.
type transactions struct {
	p *Producer

	number   atomic.Uint64               // of the transaction that records are appended to
	sendable atomic.Uint64               // the last number that may be sent
	current  atomic.Pointer[transaction] // nil while none is open; replaced under mu
	sent     atomic.Int64                // bytes of the present transaction

	// working is held for reading by the goroutines that have taken batches or call
	// OnAck. Reset holds it for writing.
	working sync.RWMutex

	mu     sync.Mutex
	ctx    context.Context    // of requests, ends with Reset; guarded by mu
	cancel context.CancelFunc // guarded by mu
	spent  batch.Identity     // the last identity before a Reset; guarded by mu
}

// transaction is the present transaction as the senders see it. It never changes, except
// that it may be doomed.
type transaction struct {
	Transaction
	number   uint64
	identity batch.Identity
	version  int
	ctx      context.Context
	doomed   atomic.Pointer[error] // set under transactions.mu

	announcing atomic.Bool   // one sender announces, or has announced, the first partitions
	announced  chan struct{} // closed when that is over
}

func (ts *transactions) init(p *Producer) {
	ts.p, ts.spent = p, noProducer
	if p.cfg.Transactional {
		ts.number.Store(1)
		ts.ctx, ts.cancel = context.WithCancel(p.tasks.ctx)
	}
}

// enabled reports whether the Producer writes in transactions.
func (ts *transactions) enabled() bool { return ts.number.Load() > 0 }

// Resume begins the next transaction of a transactional Producer: the records that are
// queued, and those appended until the next Cut, are sent as part of t. The transaction
// before it must be over: FlushCut has returned without an error and the coordinator has
// committed, or Reset has returned. After Reset, t must have another identity. Resume
// does nothing if the transaction before is doomed and Reset was not called.
func (p *Producer) Resume(t Transaction) {
	ts := &p.transactions
	tx := &transaction{Transaction: t, identity: t.Identity(), version: t.Version(), announced: make(chan struct{})}
	ts.mu.Lock()
	if ts.doomed() {
		ts.mu.Unlock()
		return
	}
	tx.number, tx.ctx = ts.number.Load(), ts.ctx
	spent := tx.identity == ts.spent
	ts.sent.Store(0)
	ts.current.Store(tx)
	ts.sendable.Store(tx.number)
	ts.mu.Unlock()
	if spent {
		// A broker could take the next batches for those that were dropped.
		ts.doom(tx, doomedUnknown, fmt.Errorf("producer id %d, epoch %d was used before the reset", tx.identity.ID, tx.identity.Epoch))
	}
	p.senders.wakeAll()
}

// PrepareCut lets Append go beyond Config.MaxBufferedBytes until Cut, and ends the waits for
// memory. Otherwise nobody could keep others from calling Append while the memory is used up
// by records that can't be written.
func (p *Producer) PrepareCut() { p.memory.setUnbounded(true) }

// Cut divides the records of a transactional Producer: those appended before it belong to
// the transaction that ends, later ones are not sent before Resume. It reports whether
// anything was sent in the transaction that ends, or is queued for it. Nobody may
// call Append at the same time. Cut does not wait for requests.
func (p *Producer) Cut() (anything bool) {
	ts := &p.transactions
	cut := ts.number.Add(1) - 1
	ts.mu.Lock()
	p.memory.setUnbounded(ts.doomed())
	ts.mu.Unlock()
	for q := range p.directory.queues {
		anything = !q.flushed(cut) || anything
	}
	p.senders.wakeAll()
	return anything || ts.sent.Load() > 0
}

// SentBytes returns how many bytes were sent in the present transaction.
func (p *Producer) SentBytes() int64 { return p.transactions.sent.Load() }

// doom keeps the present transaction from being committed, if it is still tx.
func (ts *transactions) doom(tx *transaction, reason string, err error) {
	ts.mu.Lock()
	if tx == nil || ts.current.Load() != tx || tx.doomed.Load() != nil {
		ts.mu.Unlock()
		return
	}
	err = fmt.Errorf("transaction of %q can't be committed: %w", tx.ID(), err)
	tx.doomed.Store(&err)
	ts.sendable.Store(0)
	// Nothing is sent any more, and Reset drops all records.
	ts.p.memory.setUnbounded(true)
	ts.mu.Unlock()
	ts.p.flusher.progressed()
	ts.p.cfg.OnDoomed(reason, err)
}

// doomed reports whether the present transaction is. Needs mu.
func (ts *transactions) doomed() bool {
	tx := ts.current.Load()
	return tx != nil && tx.doomed.Load() != nil
}

// failure returns why tx can't be committed; nil if it can.
func (ts *transactions) failure(tx *transaction) error {
	if ts.current.Load() != tx {
		return errReset
	}
	if err := tx.doomed.Load(); err != nil {
		return *err
	}
	return nil
}
