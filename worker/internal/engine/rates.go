package engine

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// rates are the worker's rates for /status.
type rates struct{ in, settled, out telemetry.Rate }

func (r *rates) perSecond() workerstatus.Rates {
	return workerstatus.Rates{
		RecordsIn: r.in.PerSecond(), RecordsSettled: r.settled.PerSecond(), RecordsOut: r.out.PerSecond(),
	}
}

// sampleRegularly samples the totals from which the rates follow.
func (m *member) sampleRegularly(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			m.sample(now)
		}
	}
}

func (m *member) sample(now time.Time) {
	m.resizePool()
	m.saturation.Sample(now, m.pool.Busy().Seconds())
	for _, p := range m.roster.partitions() {
		p.rate.Sample(now, float64(p.settled.Load()))
	}
	if m.number > 0 {
		return // the first member samples for the process
	}
	t := m.proc.metrics.Totals()
	m.proc.rates.in.Sample(now, float64(t.RecordsIn))
	m.proc.rates.out.Sample(now, float64(t.RecordsOut))
	m.proc.rates.settled.Sample(now, float64(m.proc.settled.Load()))
}
