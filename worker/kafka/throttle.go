package kafka

import "time"

// QuietUntil returns the time of the next request to a broker that throttles, and calls
// the hook if there is one. Kafka answers at once, and delays the next request of the
// connection.
func QuietUntil(broker, throttleMs int32, hook func(broker int32, d time.Duration)) time.Time {
	d := time.Duration(max(throttleMs, 0)) * time.Millisecond
	if d > 0 && hook != nil {
		hook(broker, d)
	}
	return time.Now().Add(d)
}
