package scaling

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// rates are those of one partition.
type rates struct {
	id                 int32
	lag                int64
	arrived, processed float64 // a second
	// waits is how many seconds the lag takes, or has been waited for: +Inf if
	// it does not move. fresh: what is waiting has only just arrived.
	waits float64
	fresh bool
	// flat is the rate of processing while something waited all the time, 0 if
	// that was not so for long enough to tell.
	flat float64
}

// behind reports whether records wait for longer than the target. What has only
// just arrived does not: between two answers of Kafka there always is some. A
// partition that does not move is on its way to be taken for stuck: it is not
// for want of pods, who serve all partitions that they have.
func (r rates) behind(target time.Duration) bool {
	return !r.fresh && r.lag > 0 && r.processed > 0 && r.waits > target.Seconds()
}

// freshFor is how long a record has just arrived. It is longer than the time
// between two commits and that between two answers of Kafka.
const freshFor = 10 * time.Second

// ratesOf measures the partition p of the last of the samples. Its arrival is
// taken from the samples, its processing from the window, which is their end.
func ratesOf(p Partition, samples, window []Sample) rates {
	last := &samples[len(samples)-1]
	r := rates{id: p.ID, lag: last.lag(p)}
	arrivals := latest(samples, rateWindow)
	if q, ok := arrivals[0].partition(p.ID); ok && len(arrivals) > 1 {
		r.arrived = float64(max(0, p.End-q.End)) / span(arrivals).Seconds()
	}
	busyRate := r.process(p.ID, window)
	age, fresh := ageOf(last.from(p), p.ID, samples)
	r.fresh = fresh
	switch {
	case r.lag == 0:
		r.waits = 0
	case busyRate > 0:
		r.waits = float64(r.lag) / busyRate
		if fresh {
			r.waits = min(r.waits, age.Seconds())
		}
	case len(window) > 1:
		r.waits = age.Seconds()
	default:
		r.waits = math.Inf(1)
	}
	return r
}

// process takes the rate of processing from the window, and returns that during
// the time in which there was something to process.
func (r *rates) process(id int32, window []Sample) (busyRate float64) {
	var done, busyDone, flatDone float64
	var busyFor, flatFor time.Duration
	for i := 1; i < len(window); i++ {
		from, to := &window[i-1], &window[i]
		q, was := from.partition(id)
		p, is := to.partition(id)
		if !was || !is {
			continue
		}
		step := float64(max(0, to.from(p)-from.from(q)))
		done += step
		if from.lag(q) > 0 {
			busyDone += step
			busyFor += to.At.Sub(from.At)
		}
		if to.from(p) < q.End {
			flatDone += step
			flatFor += to.At.Sub(from.At)
		}
	}
	if flatFor >= minWindow {
		r.flat = flatDone / flatFor.Seconds()
	}
	if took := span(window); took > 0 {
		r.processed = done / took.Seconds()
	}
	if busyFor > 0 {
		return busyDone / busyFor.Seconds()
	}
	return r.processed
}

// ageOf is how long the record at an offset has been there at most, as far back
// as the samples go, and whether it has just arrived.
func ageOf(offset int64, id int32, samples []Sample) (age time.Duration, fresh bool) {
	last := len(samples) - 1
	for i := last; i >= 0; i-- {
		p, ok := samples[i].partition(id)
		age = samples[last].At.Sub(samples[i].At)
		if ok && p.End <= offset {
			return age, i >= last-1 || age <= freshFor
		}
	}
	return age, false
}

// partition finds a partition by its number.
func (s *Sample) partition(id int32) (Partition, bool) {
	if int(id) < len(s.Partitions) && s.Partitions[id].ID == id {
		return s.Partitions[id], true
	}
	i, ok := slices.BinarySearchFunc(s.Partitions, id, func(p Partition, id int32) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return Partition{}, false
	}
	return s.Partitions[i], true
}

func find(list []rates, id int32) (rates, bool) {
	i, ok := slices.BinarySearchFunc(list, id, func(r rates, id int32) int { return cmp.Compare(r.id, id) })
	if !ok {
		return rates{}, false
	}
	return list[i], true
}

// ceil is the lowest integer not below x, allowing for errors of rounding.
func ceil(x float64) int32 {
	return int32(min(math.Ceil(x-1e-9), math.MaxInt32))
}
