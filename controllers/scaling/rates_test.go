package scaling

import (
	"testing"
	"time"
)

// TestFresh checks that a burst of records in a calm partition does not count as behind
// before the pods had time to process it.
func TestFresh(t *testing.T) {
	few := pods(1, 2*minute, each(.2), each(.2))
	burst := pods(1, 5*time.Second, each(100), each(.2))
	for _, c := range []struct {
		name   string
		after  time.Duration
		behind bool
	}{{"just arrived", 5 * time.Second, false}, {"a while ago", 40 * time.Second, true}} {
		h, _ := tell(few, burst, pods(1, c.after, each(0), each(.2)))
		last := h.samples[len(h.samples)-1]
		if r := ratesOf(last.Partitions[0], h.samples, h.samples); r.behind(20*time.Second) != c.behind {
			t.Errorf("%s: got %+v", c.name, r)
		}
	}
}
