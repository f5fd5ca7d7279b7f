package scaling

// holdRules apply the bounds, and keep the number of pods while the rates give no reason
// to change it.
type holdRules struct{ *situation }

// outOfBounds brings the number of pods within its bounds at once.
func (r holdRules) outOfBounds() *verdict {
	switch {
	case r.Current > r.cap:
		return r.change(r.cap, AboveCap, "%d pods are too many: %s", r.Current, r.capSource())
	case r.Current < r.floor:
		return r.change(r.floor, BelowMin, "%d pods are too few: minReplicas is %d", r.Current, r.Policy.Min)
	}
	return nil
}

func (r holdRules) kafkaUnreachable() *verdict {
	if r.KafkaReachable {
		return nil
	}
	return r.keep(KafkaUnreachable, "Kafka does not answer; the number of pods stays the same until it does")
}

func (r holdRules) offsetsUnknown() *verdict {
	if r.newest != nil && r.Partitions > 0 {
		return nil
	}
	return r.keep(TooLittleKnown, "the operator is waiting for the first offsets from Kafka")
}

// noPods starts pods if there is something to read. One sample is enough for that.
func (r holdRules) noPods() *verdict {
	if r.Current > 0 {
		return nil
	}
	waiting := r.newest.lag + r.skipped()
	switch {
	case waiting == 0:
		return r.keep(Idle, "there are no records to read")
	case waiting <= r.Policy.Activation:
		return r.keep(Idle, "%d records wait, and behavior.activationLagThreshold is %d", waiting, r.Policy.Activation)
	}
	to := int32(1)
	if capacity := r.History.capacityWith(r.Policy.Vertical.Base); capacity > 0 {
		all := make(demand, 0, len(r.newest.last().Partitions))
		for _, p := range r.newest.last().Partitions {
			all = append(all, float64(r.newest.last().lag(p))/r.Policy.CatchUp.Seconds())
		}
		to = all.pods(capacity, r.cap)
	}
	return r.change(to, NewRecords, "%d records wait, and no pod is running", waiting)
}

// skipped returns the number of records that have arrived in partitions that a pod would
// read from their end. They do not show as lag.
func (r holdRules) skipped() (records int64) {
	for _, p := range r.newest.last().Partitions {
		q, ok := r.newest.samples[0].partition(p.ID)
		if ok && p.Committed < 0 && r.newest.last().StartsLatest {
			records += max(0, p.End-q.End)
		}
	}
	return records
}

// unsettled waits until the rates are those of the present pods.
func (r holdRules) unsettled() *verdict {
	pods := samePods(r.newest.samples)
	switch {
	case r.Current != r.newest.last().Replicas, len(pods) == 0, len(pods) < len(r.newest.samples) && !r.newest.settled:
		return r.keep(Rebalancing, "the pods changed recently, and the operator does not know their rates yet")
	case r.newest.last().Ready == 0:
		return r.keep(PodsNotReady, "none of %d pods is ready", r.Current)
	case !r.newest.settled:
		return r.keep(TooLittleKnown, "the operator has not watched the offsets for long enough")
	}
	return nil
}

// noProgress keeps the pods while no number of pods is known to help.
func (r holdRules) noProgress() *verdict {
	switch {
	case len(r.newest.stuck) > 0 && len(r.newest.partitions) == 0:
		return r.keep(StuckPartitions, "all partitions are stuck: each waits for one record that is not settled")
	case r.newest.waiting() && (r.newest.stalled || r.newest.processed == 0):
		return r.keep(NoProgress, "%d records wait, and the pods have processed none for a while; more pods would not help", r.newest.lag)
	}
	return nil
}
