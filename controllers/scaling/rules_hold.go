package scaling

// bounds bring the pods within their bounds at once, whatever else is the case.
func (c *choice) bounds() *verdict {
	switch {
	case c.Current > c.cap:
		return c.change(c.cap, AboveCap, "%d pods are too many: %s", c.Current, c.bound())
	case c.Current < c.floor:
		return c.change(c.floor, BelowMin, "%d pods are too few: minReplicas is %d", c.Current, c.Policy.Min)
	}
	return nil
}

func (c *choice) unreachable() *verdict {
	if c.KafkaReachable {
		return nil
	}
	return c.stay(KafkaUnreachable, "Kafka does not answer: the pods stay as they are until it does")
}

func (c *choice) unknown() *verdict {
	if c.now != nil && c.Partitions > 0 {
		return nil
	}
	return c.stay(TooLittleKnown, "Kafka has not told the offsets yet")
}

// asleep wakes a pod for what there is to read. One sample is enough for that.
func (c *choice) asleep() *verdict {
	if c.Current > 0 {
		return nil
	}
	waiting := c.now.lag + c.passedBy()
	switch {
	case waiting == 0:
		return c.stay(Idle, "there is nothing to read")
	case waiting <= c.Policy.Activation:
		return c.stay(Idle, "%d records wait, and behavior.activationLagThreshold lets %d wait", waiting, c.Policy.Activation)
	}
	to := int32(1)
	if capacity := c.History.capacityWith(c.Policy.Vertical.Base); capacity > 0 {
		all := make(demand, 0, len(c.now.last().Partitions))
		for _, p := range c.now.last().Partitions {
			all = append(all, float64(c.now.last().lag(p))/c.Policy.CatchUp.Seconds())
		}
		to = all.pods(capacity, c.cap)
	}
	return c.change(to, NewRecords, "%d records wait, and no pod is running", waiting)
}

// passedBy is how many records have arrived in partitions that will be read from
// their end, so that they do not show as lag.
func (c *choice) passedBy() (records int64) {
	for _, p := range c.now.last().Partitions {
		q, ok := c.now.samples[0].partition(p.ID)
		if ok && p.Committed < 0 && c.now.last().StartsLatest {
			records += max(0, p.End-q.End)
		}
	}
	return records
}

// unsettled waits until the rates are those of the present pods.
func (c *choice) unsettled() *verdict {
	pods := samePods(c.now.samples)
	switch {
	case c.Current != c.now.last().Replicas, len(pods) == 0, len(pods) < len(c.now.samples) && !c.now.settled:
		return c.stay(Rebalancing, "the pods have changed: their rates are not known yet")
	case c.now.last().Ready == 0:
		return c.stay(PodsNotReady, "none of %d pods is ready", c.Current)
	case !c.now.settled:
		return c.stay(TooLittleKnown, "the offsets have not been watched for long enough")
	}
	return nil
}

// noneMoves holds while no number of pods is known to help.
func (c *choice) noneMoves() *verdict {
	waiting := false
	for _, p := range c.now.partitions {
		waiting = waiting || p.lag > 0 && !p.fresh
	}
	switch {
	case len(c.now.stuck) > 0 && len(c.now.partitions) == 0:
		return c.stay(StuckPartitions, "all partitions wait for a record that is not settled")
	case waiting && (c.now.stalled || c.now.processed == 0):
		return c.stay(NoProgress, "%d records wait, and none has been processed for a while: more pods would not help", c.now.lag)
	}
	return nil
}
