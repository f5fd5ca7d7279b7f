package scaling

// headroom is the share of the pods' capacity that is planned with.
const headroom = 0.9

// demand is what one partition needs, in records per second.
type demand []float64

// demand is what arrives, and with catchUp what has piled up beyond half the
// target, spread over that time. Partitions are in no particular order.
func (a *assessment) demand(policy Policy, catchUp bool) demand {
	d := make(demand, len(a.stuck), len(a.stuck)+len(a.partitions)) // stuck ones demand nothing
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

// fits reports whether that many pods can serve the demand, when a pod serves at
// most capacity, of which the share is planned with. A partition that demands
// more than a pod can give is taken for one that fills a pod: only one pod at a
// time reads it, so no number of pods helps.
func (d demand) fits(pods int32, capacity, share float64) bool {
	var sum, hottest, rest float64
	for _, need := range d {
		sum += min(need, capacity)
		if need < capacity {
			hottest = max(hottest, need)
			rest += need
		}
	}
	if sum > float64(pods)*capacity*share+1e-9 {
		return false
	}
	if len(d) < 2 {
		return true
	}
	// Members get equally many partitions, give or take one, whatever they bear.
	most := (len(d) + int(pods) - 1) / int(pods)
	mean := (rest - hottest) / float64(len(d)-1)
	return hottest+float64(most-1)*mean <= capacity+1e-9
}

// pods is how many can serve the demand, at most limit.
func (d demand) pods(capacity float64, limit int32) int32 {
	n := int32(1)
	for n < limit && !d.fits(n, capacity, headroom) {
		n++
	}
	return useful(n, int32(len(d)))
}

// useful is the lowest number of pods of which the busiest has as few partitions
// as it has with n.
func useful(n, partitions int32) int32 {
	if partitions <= 0 || n <= 0 {
		return n
	}
	most := (partitions + n - 1) / n
	return (partitions + most - 1) / most
}

// nextUseful is the lowest number of pods above n with which the busiest has
// fewer partitions; n if there is none.
func nextUseful(n, partitions int32) int32 {
	for m := n + 1; m <= partitions; m++ {
		if u := useful(m, partitions); u > n {
			return u
		}
	}
	return n
}
