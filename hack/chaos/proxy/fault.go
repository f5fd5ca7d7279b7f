package proxy

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is a kind of fault.
type Kind string

// The kinds. A fault hits a connection as long as it lasts, or for ever where that is said.
const (
	// Delay holds all bytes back for Fault.Delay, and at random for up to as long again.
	// Their order stays.
	Delay Kind = "delay"
	// Throttle lets at most Fault.Rate bytes a second through in each direction.
	Throttle Kind = "throttle"
	// Reset resets each connection (RST) at a random moment within Fault.Delay.
	Reset Kind = "reset"
	// Refuse resets connections at once, and refuses all new ones.
	Refuse Kind = "refuse"
	// BlackHole lets nothing through. New connections are made, as far as the worker sees.
	// In the end half of the connections go on, and the others are reset.
	BlackHole Kind = "black hole"
	// LoseRequests takes what the worker sends, and drops it for ever.
	LoseRequests Kind = "half-open, requests are lost"
	// LoseAnswers drops what the broker sends for ever. Requests still arrive.
	LoseAnswers Kind = "half-open, answers are lost"
	// CutAnswer ends the connection in the middle of an answer.
	CutAnswer Kind = "cut in an answer"
	// DropAnswer ends the connection in place of an answer.
	DropAnswer Kind = "cut before an answer"
	// LateRequest resets the connection when a request has arrived, and passes the request
	// on to the broker after Fault.Delay.
	LateRequest Kind = "late request"
)

// AllBrokers is the Broker of a fault that hits the connections to every broker.
const AllBrokers = -1

// Fault is what a network does for a time.
type Fault struct {
	Kind   Kind
	Broker int     // or AllBrokers
	Share  float64 // of the connections that are hit, from 0 to 1
	Seed   uint64  // of all choices
	Delay  time.Duration
	Rate   int // bytes a second
	// APIs are the keys of the requests that CutAnswer, DropAnswer and LateRequest hit; all
	// if empty. Chance is the share of these requests that they hit.
	APIs   []int16
	Chance float64
}

// Injection is a fault in force.
type Injection struct {
	fault Fault
	end   func()
	once  sync.Once
	hits  atomic.Int64

	mu     sync.Mutex
	random *rand.Rand // guarded by mu
}

// End ends the fault. It may be called again.
func (i *Injection) End() { i.once.Do(i.end) }

// Hits returns how many times the fault has hit: a connection, or a request for those
// kinds that hit single requests.
func (i *Injection) Hits() int64 { return i.hits.Load() }

// chooses reports whether the fault hits a connection. The choice depends on the seed and
// on the connection's number alone.
func (i *Injection) chooses(connection uint64) bool {
	return rand.New(rand.NewPCG(i.fault.Seed, connection)).Float64() < i.fault.Share
}

// float returns a random number from 0 to 1.
func (i *Injection) float() float64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.random.Float64()
}

// within returns a random time up to the fault's delay.
func (i *Injection) within() time.Duration {
	return time.Duration(i.float() * float64(i.fault.Delay))
}

// request reports whether the fault hits a request of an API.
func (i *Injection) request(api int16) bool {
	if len(i.fault.APIs) > 0 && !slices.Contains(i.fault.APIs, api) {
		return false
	}
	return i.float() < i.fault.Chance
}
