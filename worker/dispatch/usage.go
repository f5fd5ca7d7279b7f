package dispatch

import "time"

// usage integrates how many goroutines are busy over time. Its clock is read
// only when a goroutine starts or stops waiting, never for each record.
type usage struct {
	busy int
	sum  time.Duration
	at   time.Time
}

func (u *usage) start(now time.Time, busy int) { u.at, u.busy = now, busy }

func (u *usage) change(now time.Time, by int) {
	u.sum = u.total(now)
	u.at = now
	u.busy += by
}

func (u *usage) total(now time.Time) time.Duration {
	return u.sum + now.Sub(u.at)*time.Duration(u.busy)
}
