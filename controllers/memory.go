package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// memory is what is kept of a StreamProcessor from one reconciliation to the next.
// All of it can be found again; of the history the status keeps what matters. It belongs to the
// reconciliation under way: there is one at a time for each.
type memory struct {
	// contents are those of what it refers to, and of nothing else.
	contents contents
	// history is what autoscaling goes by, seen the time of its newest sample, and
	// recalled whether it goes on from what the status had kept.
	history  scaling.History
	source   string // of the history's samples
	seen     time.Time
	recalled bool
	// reported is when the status was last written.
	reported time.Time
	// began is when it was reconciled first, and heard whether all its pods have
	// answered since.
	began time.Time
	heard bool
	// refusals are the objects that the API server has refused, by kind and name.
	refusals map[string]refusal
	// answers are the API server's to what was applied, by kind and name.
	answers map[string]answer
	// ceilings are what pods' nodes can't exceed, by the pods' UID.
	ceilings map[types.UID]ceiling
	// undelivered is what no status has told of yet.
	undelivered undelivered
	// changed is when autoscaling last changed something.
	changed time.Time
	// expressions are those that were checked last.
	expressions checkedExpressions
}

// memories are those of all StreamProcessors.
type memories struct {
	mu sync.Mutex
	of map[types.NamespacedName]*memory // guarded by mu
}

func (m *memories) get(key types.NamespacedName, now time.Time) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = make(map[types.NamespacedName]*memory)
	}
	if m.of[key] == nil {
		m.of[key] = &memory{began: now, answers: map[string]answer{}}
	}
	return m.of[key]
}

func (m *memories) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}
