package engine

import "time"

// throttled counts and logs that a broker delayed requests because a quota of this
// client, its user or its address is used up.
func (e *Engine) throttled(request string, broker int32, d time.Duration) {
	e.metrics.Throttled.Add(request, d)
	e.failures.lines.Info("throttled by the broker's quota", "request", request, "broker", broker, "for", d.String())
}
