package dispatch

import "time"

// usage integrates over time the share of the goroutines that are busy. It needs the
// clock only when a goroutine starts or stops waiting, never for a record.
type usage struct {
	busy, size int
	sum        time.Duration
	at         time.Time // sum is complete up to here
}

func (u *usage) start(now time.Time) { u.at = now }

// change adds by to the number of busy goroutines.
func (u *usage) change(now time.Time, by int) {
	u.advance(now)
	u.busy += by
}

func (u *usage) resize(now time.Time, size int) {
	u.advance(now)
	u.size = size
}

func (u *usage) advance(now time.Time) { u.sum, u.at = u.total(now), now }

func (u *usage) total(now time.Time) time.Duration {
	if u.size == 0 {
		return u.sum
	}
	// While the pool shrinks, more goroutines may be busy than the size allows.
	return u.sum + now.Sub(u.at)*time.Duration(min(u.busy, u.size))/time.Duration(u.size)
}
