// Package signal wakes a goroutine without blocking the one that wakes it.
package signal

// Signal asks one goroutine to look at its work again. Any number of
// notifications before the goroutine looks count as one, so Notify never blocks.
// The goroutine receives from the Signal, usually in a select.
type Signal chan struct{}

// New returns a Signal without a notification.
func New() Signal { return make(Signal, 1) }

// Notify wakes the receiver, now or when it receives next.
func (s Signal) Notify() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// Pending reports whether the next receive returns at once.
func (s Signal) Pending() bool { return len(s) > 0 }
