package podwatch

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Facts combine the last answers of the pods of one StreamProcessor. An answer counts until
// it is too old, so a pod may fail to answer once or twice without a change of the facts.
type Facts struct {
	// Asked is the number of pods, Answered the number of pods with an answer that
	// counts.
	Asked, Answered int
	// At is the time of the oldest of these answers; zero if none counts.
	At time.Time
	// Saturation is the mean share of the pools that was busy, 0 to 1; -1 if no
	// pod answered.
	Saturation float64
	// Rebalancing is set if a member has no generation, or if members are in different
	// generations.
	Rebalancing bool
	// Partitions holds the number of partitions of each topic that a pod reads. There
	// may be several topics, because pods with an earlier configuration may read another
	// one. Topics only grow, so the highest reported number counts.
	Partitions map[string]int32
	// Waiting says why one of the pods waits to join the group, "" if none waits.
	Waiting string
	// Stuck are the halted partitions, and the records that have held up a watermark for
	// StuckAfter or longer, by partition.
	Stuck []Stuck
	// Losses are the last loss of each partition since the start of its worker, by
	// partition.
	Losses []Loss
	// Expressions are those of the pods that run the built-in processor, in the order of
	// the pods.
	Expressions []Expressions
	// Failures are those of the pods whose processes have failed recently, in the order of
	// the pods.
	Failures []Failures
}

// Failures says how often the processes beside a worker have failed in the last minutes, as
// workerstatus.RecentFailures defines them.
type Failures struct {
	Pod       string
	Times     int
	LastError string
}

// Expressions says which version of the built-in processor's expressions a pod runs.
type Expressions struct {
	Pod     string
	Version string
	// Refused is a newer version that the worker can't use, and Error says why; "" for
	// none.
	Refused, Error string
}

// Complete reports whether all pods have answered, so that a trouble that is absent from
// the facts does not exist.
func (f *Facts) Complete() bool { return f.Answered >= f.Asked }

// StuckAfter is the time after which a record that holds up its partition's watermark counts
// as stuck. It equals the default timeout of one attempt.
const StuckAfter = time.Minute

// Stuck is a record that holds up its partition's watermark, or the offset at which a
// partition is halted.
type Stuck struct {
	Pod       string
	Partition int32
	Offset    int64
	// Halted is set if the worker has stopped reading the partition; LastError says why.
	Halted bool
	// KeyHash is the murmur2 hash of the record's key in hex, "" for a null key.
	KeyHash string
	// Since is the time at which the worker dispatched the record first, or halted the
	// partition.
	Since     time.Time
	Attempts  int
	LastError string
}

// Loss is a range of offsets that Kafka lost before they were read.
type Loss struct {
	Partition int32
	// From is the first lost offset, To the offset after the last one.
	From, To int64
	// Reason is Retention, TopicRecreated or Truncated.
	Reason string
	At     time.Time
}

// report is the kept part of one pod's answer.
type report struct {
	at      time.Time
	waiting string // the reason why the pod waits to join the group
	// members is the number of members, busy the sum of their saturations.
	members int
	busy    float64
	// generations are those of the members, each once.
	generations []int32
	joining     bool
	topic       string
	partitions  int32
	stuck       []Stuck
	losses      []Loss
	expressions *Expressions // nil for another processor
	failures    *Failures    // nil if there are none
}

// join combines the pods' reports. Reports from before since don't count.
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
		if r.expressions != nil {
			f.Expressions = append(f.Expressions, *r.expressions)
		}
		if r.failures != nil {
			f.Failures = append(f.Failures, *r.failures)
		}
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

// differs reports whether the facts differ enough to call Wake. Changes of saturation and
// of the number of attempts don't count.
func (f *Facts) differs(old *Facts) bool {
	return f.Rebalancing != old.Rebalancing || (f.Waiting == "") != (old.Waiting == "") || f.Complete() != old.Complete() || !slices.Equal(f.Losses, old.Losses) || !maps.Equal(f.Partitions, old.Partitions) ||
		!slices.Equal(f.Expressions, old.Expressions) || !slices.Equal(f.Failures, old.Failures) ||
		!slices.EqualFunc(f.Stuck, old.Stuck, func(a, b Stuck) bool {
			return a.Partition == b.Partition && a.Offset == b.Offset && a.LastError == b.LastError && a.Halted == b.Halted
		})
}
