package telemetry

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// transactionCounters count the transactions of all members. Their series exist once a
// member has transactions, so a worker without them serves none.
type transactionCounters struct{ committed, aborted *prometheus.CounterVec }

func newTransactionCounters(r prometheus.Registerer, labels prometheus.Labels) transactionCounters {
	c := transactionCounters{
		committed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "millrace_transactions_committed_total", Help: "Transactions that were committed.", ConstLabels: labels,
		}, nil),
		aborted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name:        "millrace_transactions_aborted_total",
			Help:        "Transactions that could not be committed, by the reason. The worker processes their records again.",
			ConstLabels: labels,
		}, []string{"reason"}),
	}
	r.MustRegister(c.committed, c.aborted)
	return c
}

// Transactions counts the transactions of one member, and describes them for /status. It
// is safe for concurrent use.
type Transactions struct {
	counters transactionCounters

	mu     sync.Mutex
	status workerstatus.Transaction // without OpenSeconds; guarded by mu
}

// NewTransactions returns the count of a member's transactions.
func (m *Metrics) NewTransactions() *Transactions {
	m.transactions.committed.WithLabelValues() // makes the series exist before the first commit
	return &Transactions{counters: m.transactions}
}

// Identified notes the transactional id and the protocol's version of the member's next
// transactions; "" and 0 if it has no id.
func (t *Transactions) Identified(id string, version int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.ID, t.status.Version = id, version
}

// Began notes that a transaction is open. A second call before the end changes nothing.
func (t *Transactions) Began(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status.OpenSince == nil {
		t.status.OpenSince = &at
	}
}

// Committed counts that the open transaction was committed.
func (t *Transactions) Committed() {
	t.counters.committed.WithLabelValues().Inc()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.OpenSince = nil
	t.status.Committed++
}

// Aborted counts that the open transaction could not be committed. reason is one short
// word, of a few that there are.
func (t *Transactions) Aborted(reason string) {
	t.counters.aborted.WithLabelValues(reason).Inc()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.status.OpenSince = nil
	if t.status.Aborted == nil {
		t.status.Aborted = make(map[string]int64)
	}
	t.status.Aborted[reason]++
}

// Status returns what /status shows.
func (t *Transactions) Status() *workerstatus.Transaction {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.status
	s.Aborted = maps.Clone(s.Aborted)
	if s.OpenSince != nil {
		s.OpenSeconds = time.Since(*s.OpenSince).Seconds()
	}
	return &s
}
