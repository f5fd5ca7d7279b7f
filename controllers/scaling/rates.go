package scaling

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// rates are the rates of one partition.
type rates struct {
	id                 int32
	lag                int64
	arrived, processed float64 // records per second
	// waits is the time in seconds that the pods need for the lag, or that the
	// oldest record has waited already. It is +Inf if the partition does not move.
	waits float64
	// fresh is set if the waiting records have just arrived.
	fresh bool
	// flat is the rate of processing while records waited all the time, 0 if they
	// did not for long enough to measure it.
	flat float64
}

// behind reports whether records wait longer than the target. Records that have just
// arrived don't count, because there are always some between two answers of Kafka. A
// partition that does not move doesn't count either: it is probably stuck, and more
// pods would not help, because a pod serves all of its partitions.
func (r rates) behind(target time.Duration) bool {
	return !r.fresh && r.lag > 0 && r.processed > 0 && r.waits > target.Seconds()
}

// freshFor is the time after which a record no longer counts as just arrived. It is
// longer than the time between two commits and the time between two answers of Kafka.
const freshFor = 10 * time.Second

// ratesOf measures the partition p of the last sample. It takes the rate of arrival
// from samples and the rate of processing from window, which is the end of samples.
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

// process sets the rates of processing from the window. It returns the rate during the
// time in which there was something to process.
func (r *rates) process(id int32, window []Sample) (busyRate float64) {
	var done, busyDone, flatDone float64
	var busyFor, flatFor time.Duration
	for i := 1; i < len(window); i++ {
		from, to := &window[i-1], &window[i]
		q, inFrom := from.partition(id)
		p, inTo := to.partition(id)
		if !inFrom || !inTo {
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

// ageOf returns an upper bound on the age of the record at an offset, as far back as
// the samples go, and reports whether the record has just arrived.
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

// find finds the rates of a partition in a list that is sorted by partition.
func find(list []rates, id int32) (rates, bool) {
	i, ok := slices.BinarySearchFunc(list, id, func(r rates, id int32) int { return cmp.Compare(r.id, id) })
	if !ok {
		return rates{}, false
	}
	return list[i], true
}

// ceil returns the lowest integer not below x, and allows for errors of rounding.
func ceil(x float64) int32 {
	return int32(min(math.Ceil(x-1e-9), math.MaxInt32))
}
