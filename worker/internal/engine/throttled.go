package engine

import "time"

// throttled counts and logs that a broker delayed requests because a quota of this
// client, its user or its address is used up.
func (p *process) throttled(at place, request string, broker int32, d time.Duration) {
	p.metrics.Throttled.Add(request, d)
	about := []any{"request", request, "broker", broker, "for", d.String()}
	if p.clusters.apart {
		about = append(about, "cluster", at)
	}
	p.failures.lines.Info("throttled by the broker's quota", about...)
}
