package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// gateMax is the longest pause after a failed attempt.
const gateMax = time.Second

// gate limits the attempts to dial a broker that is away, whatever the number of
// goroutines that have requests for it. After a failure the address is closed for a
// while. Then the gate admits one attempt at a time until one succeeds.
type gate struct {
	mu     sync.Mutex
	closed map[string]*closedAddress // guarded by mu, entries too
}

type closedAddress struct {
	err     error // of the last attempt, for callers while it is closed
	until   time.Time
	backoff backoff.Backoff
	probing bool
}

// enter returns nil if the address may be dialled; leave or abandon must follow.
// Otherwise it returns the error of the last attempt.
func (g *gate) enter(address string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	entry := g.closed[address]
	if entry == nil {
		return nil
	}
	if entry.probing || time.Now().Before(entry.until) {
		return entry.err
	}
	entry.probing = true
	return nil
}

// leave reports the outcome of an attempt; nil opens the address for all.
func (g *gate) leave(address string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		delete(g.closed, address)
		return
	}
	entry := g.entry(address)
	// Attempts that were under way together when the first one failed count
	// as one.
	if entry.probing || !time.Now().Before(entry.until) {
		entry.until = time.Now().Add(entry.backoff.Next())
	}
	entry.probing, entry.err = false, err
}

// abandon ends an attempt without a verdict. The error of a deadline is kept, so that the
// address has a reason for not being in use.
func (g *gate) abandon(address string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if entry := g.closed[address]; entry != nil {
		entry.probing = false
		return
	}
	if errors.Is(err, context.DeadlineExceeded) {
		g.entry(address).err = err
	}
}

// entry returns the address's entry and creates it if necessary. Needs mu.
func (g *gate) entry(address string) *closedAddress {
	entry := g.closed[address]
	if entry == nil {
		if g.closed == nil {
			g.closed = make(map[string]*closedAddress)
		}
		entry = &closedAddress{backoff: backoff.Backoff{Max: gateMax}}
		g.closed[address] = entry
	}
	return entry
}

// lastError returns why the address is closed, or nil.
func (g *gate) lastError(address string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if entry := g.closed[address]; entry != nil {
		return entry.err
	}
	return nil
}
