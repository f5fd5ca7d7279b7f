package scaling

// headroom is the share of the pods' capacity that Decide plans with.
const headroom = 0.9

// demand holds the records per second that each partition needs, in no particular order.
type demand []float64

// demand returns the rates of arrival. With catchUp it adds to each partition that is
// behind the backlog beyond half the target, spread over Policy.CatchUp. Stuck
// partitions come first and need nothing.
func (a *assessment) demand(policy Policy, catchUp bool) demand {
	d := make(demand, len(a.stuck), len(a.stuck)+len(a.partitions))
	for _, r := range a.partitions {
		need := r.arrived
		if catchUp && r.behind(policy.TargetLag) {
			excess := float64(r.lag) - r.arrived*policy.TargetLag.Seconds()/2
			need += max(0, excess) / policy.CatchUp.Seconds()
		}
		d = append(d, need)
	}
	return d
}

// fits reports whether that many pods of the given capacity can serve the demand. It
// plans with share of the pods' total capacity. A partition that needs more than a
// pod's capacity counts as one that fills a pod, because only one pod at a time reads
// it and no number of pods helps.
func (d demand) fits(pods int32, capacity, share float64) bool {
	var sum, hottest, below float64
	for _, need := range d {
		sum += min(need, capacity)
		if need < capacity {
			hottest = max(hottest, need)
			below += need
		}
	}
	if sum > float64(pods)*capacity*share+1e-9 {
		return false
	}
	if len(d) < 2 {
		return true
	}
	// Kafka gives the members equally many partitions, give or take one, however
	// loaded the partitions are.
	most := (len(d) + int(pods) - 1) / int(pods)
	mean := (below - hottest) / float64(len(d)-1)
	return hottest+float64(most-1)*mean <= capacity+1e-9
}

// serves is like fits, but a partition that needs more than share of a pod's capacity
// is not served.
func (d demand) serves(pods int32, capacity, share float64) bool {
	for _, need := range d {
		if need > capacity*share {
			return false
		}
	}
	return d.fits(pods, capacity, share)
}

// pods returns the number of pods that can serve the demand, at most limit.
func (d demand) pods(capacity float64, limit int32) int32 {
	n := int32(1)
	for n < limit && !d.fits(n, capacity, headroom) {
		n++
	}
	return useful(n, int32(len(d)))
}

// useful returns the lowest number of pods with which the busiest pod has as few
// partitions as with n pods.
func useful(n, partitions int32) int32 {
	if partitions <= 0 || n <= 0 {
		return n
	}
	most := (partitions + n - 1) / n
	return (partitions + most - 1) / most
}

// nextUseful returns the lowest number of pods above n with which the busiest pod has
// fewer partitions; n if there is none.
func nextUseful(n, partitions int32) int32 {
	for m := n + 1; m <= partitions; m++ {
		if u := useful(m, partitions); u > n {
			return u
		}
	}
	return n
}
