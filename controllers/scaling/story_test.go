package scaling

import (
	"slices"
	"time"
)

// begin is the time at which every story begins.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// chapter is a span of time in which nothing changes.
type chapter struct {
	lasts           time.Duration
	replicas, ready int32
	saturation      float64
	cpu             CPU
	// in and out are the rates of each partition; the processing never overtakes the arrival.
	in, out     []float64
	stuck       []int32
	rebalancing bool
	// silent is set if Kafka does not answer.
	silent bool
}

// pods returns a chapter with that many pods, all ready.
func pods(n int32, lasts time.Duration, in, out []float64) chapter {
	return chapter{lasts: lasts, replicas: n, ready: n, saturation: -1, in: in, out: out}
}

func (c chapter) but(change func(*chapter)) chapter {
	change(&c)
	return c
}

// each returns the same rate for four partitions.
func each(rate float64) []float64 { return []float64{rate, rate, rate, rate} }

// tell returns the History of a story, with a sample every five seconds, and the time at
// its end.
func tell(chapters ...chapter) (*History, time.Time) {
	h := new(History)
	now := begin
	var ends, done []float64
	if len(chapters) > 0 {
		ends, done = make([]float64, len(chapters[0].in)), make([]float64, len(chapters[0].in))
	}
	for _, c := range chapters {
		for until := now.Add(c.lasts); now.Before(until); {
			now = now.Add(5 * time.Second)
			s := Sample{
				At: now, Replicas: c.replicas, Ready: c.ready, Saturation: c.saturation, CPU: c.cpu,
				Stuck: slices.Clone(c.stuck), Rebalancing: c.rebalancing,
			}
			for p := range ends {
				ends[p] += 5 * c.in[p]
				done[p] = min(ends[p], done[p]+5*c.out[p])
				s.Partitions = append(s.Partitions, Partition{ID: int32(p), End: int64(ends[p]), Committed: int64(done[p])})
			}
			if !c.silent {
				h.Append(s)
			}
		}
	}
	return h, now
}
