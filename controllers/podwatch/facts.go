package podwatch

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Facts are what the pods of one StreamProcessor said last. An answer counts until
// it is too old: a pod that misses a question or two has not changed its mind.
type Facts struct {
	// Asked is how many pods are asked, Answered how many of their answers count.
	Asked, Answered int
	// At is when the oldest of these answers came; zero if none counts.
	At time.Time
	// Saturation is the mean share of the pools that was busy, 0 to 1; -1 if no
	// pod answered.
	Saturation float64
	// Rebalancing: a member has no generation, or members are in different
	// ones.
	Rebalancing bool
	// Partitions is how many each topic has that a pod reads: pods of an earlier
	// configuration may read another. Topics only grow, so the most that a pod
	// knows of counts.
	Partitions map[string]int32
	// Waiting says what keeps one of the pods from joining the group, "" if nothing
	// keeps any.
	Waiting string
	// Stuck are the partitions that are halted, and the records that have held a
	// watermark for StuckAfter or longer, by partition.
	Stuck []Stuck
	// Losses are the last of each partition since its worker's start, by partition.
	Losses []Loss
}

// Complete reports whether all pods have answered, so that a trouble nobody names
// is one that nobody has.
func (f *Facts) Complete() bool { return f.Answered >= f.Asked }

// StuckAfter is how long a record has to hold its partition's watermark to be
// worth showing. It is the default of a single attempt's timeout.
const StuckAfter = time.Minute

// Stuck is a record that holds its partition's watermark, or the place where a
// partition is halted.
type Stuck struct {
	Pod       string
	Partition int32
	Offset    int64
	// Halted: the partition can't be read on; LastError is why.
	Halted bool
	// KeyHash is the murmur2 hash of its key in hex, "" for a null key.
	KeyHash string
	// Since is when it was dispatched first, or the partition halted.
	Since     time.Time
	Attempts  int
	LastError string
}

// Loss is what Kafka lost of a partition before it was read.
type Loss struct {
	Partition int32
	// From is the first lost offset, To the one after the last.
	From, To int64
	// Reason is one of the worker's: Retention, TopicRecreated or Truncated.
	Reason string
	At     time.Time
}

// report is what one pod said, as far as it is kept.
type report struct {
	at      time.Time
	waiting string // for what, before it joins the group
	// members is how many there are, busy the sum of their saturations.
	members int
	busy    float64
	// generations are those of its members, each once.
	generations []int32
	joining     bool
	topic       string
	partitions  int32
	stuck       []Stuck
	losses      []Loss
}

// join puts the reports of the pods together; those from before since don't count.
func join(pods []Pod, reports map[Pod]*report, since time.Time) Facts {
	f := Facts{Asked: len(pods), Saturation: -1}
	var busy float64
	members := 0
	generations := map[int32]bool{}
	for _, pod := range pods {
		r := reports[pod]
		if r == nil || r.at.Before(since) {
			continue
		}
		f.Answered++
		if f.At.IsZero() || r.at.Before(f.At) {
			f.At = r.at
		}
		members += r.members
		busy += r.busy
		for _, g := range r.generations {
			generations[g] = true
		}
		f.Rebalancing = f.Rebalancing || r.joining
		if f.Waiting == "" && r.waiting != "" {
			f.Waiting = "pod " + pod.Name + " waits for Kafka: " + r.waiting
		}
		if r.partitions > f.Partitions[r.topic] {
			if f.Partitions == nil {
				f.Partitions = map[string]int32{}
			}
			f.Partitions[r.topic] = r.partitions
		}
		f.Stuck = append(f.Stuck, r.stuck...)
		f.Losses = append(f.Losses, r.losses...)
	}
	if members > 0 {
		f.Saturation = busy / float64(members)
	}
	f.Rebalancing = f.Rebalancing || len(generations) > 1
	slices.SortStableFunc(f.Stuck, func(a, b Stuck) int { return cmp.Compare(a.Partition, b.Partition) })
	slices.SortFunc(f.Losses, func(a, b Loss) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), a.At.Compare(b.At))
	})
	return f
}

// differs reports whether the difference is worth waking anybody: busy pools and
// growing counts of attempts are not.
func (f *Facts) differs(old *Facts) bool {
	return f.Rebalancing != old.Rebalancing || (f.Waiting == "") != (old.Waiting == "") || f.Complete() != old.Complete() || !slices.Equal(f.Losses, old.Losses) || !maps.Equal(f.Partitions, old.Partitions) ||
		!slices.EqualFunc(f.Stuck, old.Stuck, func(a, b Stuck) bool {
			return a.Partition == b.Partition && a.Offset == b.Offset && a.LastError == b.LastError && a.Halted == b.Halted
		})
}
