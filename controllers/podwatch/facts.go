package podwatch

import (
	"cmp"
	"slices"
	"time"
)

// Facts are what the pods of one StreamProcessor said last.
type Facts struct {
	// Answered is how many pods did.
	Answered int
	// Saturation is the mean share of the pools that was busy, 0 to 1; -1 if no
	// pod answered.
	Saturation float64
	// Rebalancing: a member has no generation, or members are in different
	// ones.
	Rebalancing bool
	// Stuck are the partitions that are halted, and the records that have held a
	// watermark for StuckAfter or longer, by partition.
	Stuck []Stuck
	// Losses are the last of each partition since its worker's start, by partition.
	Losses []Loss
}

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

// answer is the part of a worker's /status that is used here; the whole is
// worker/telemetry's Status.
type answer struct {
	Members []struct {
		Generation int32   `json:"generation"`
		State      string  `json:"state"`
		Saturation float64 `json:"saturation"`
		Partitions []struct {
			Partition   int32      `json:"partition"`
			State       string     `json:"state"`
			Position    int64      `json:"position"`
			Error       string     `json:"error"`
			HaltedSince *time.Time `json:"haltedSince"`
			Loss        *struct {
				From   int64     `json:"from"`
				To     int64     `json:"to"`
				Reason string    `json:"reason"`
				At     time.Time `json:"at"`
			} `json:"loss"`
			OldestUnsettled *struct {
				Offset     int64     `json:"offset"`
				AgeSeconds float64   `json:"ageSeconds"`
				Since      time.Time `json:"since"`
				Attempts   int       `json:"attempts"`
				KeyHash    string    `json:"keyHash"`
				LastError  string    `json:"lastError"`
			} `json:"oldestUnsettled"`
		} `json:"partitions"`
	} `json:"members"`
}

// facts puts the answers of the pods together; nil is a pod that gave none.
func facts(pods []Pod, answers []*answer) Facts {
	f := Facts{Saturation: -1}
	var busy float64
	members := 0
	generations := map[int32]bool{}
	for i, a := range answers {
		if a == nil {
			continue
		}
		f.Answered++
		for _, m := range a.Members {
			members++
			busy += m.Saturation
			generations[m.Generation] = true
			f.Rebalancing = f.Rebalancing || m.State == "joining"
		}
		f.Stuck = append(f.Stuck, a.stuck(pods[i].Name)...)
		f.Losses = append(f.Losses, a.losses()...)
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

func (a *answer) stuck(pod string) []Stuck {
	var list []Stuck
	for _, m := range a.Members {
		for _, p := range m.Partitions {
			if p.State == "halted" && p.HaltedSince != nil {
				list = append(list, Stuck{
					Pod: pod, Partition: p.Partition, Offset: p.Position, Halted: true,
					Since: *p.HaltedSince, LastError: p.Error,
				})
			}
			if o := p.OldestUnsettled; o != nil && o.AgeSeconds >= StuckAfter.Seconds() {
				list = append(list, Stuck{
					Pod: pod, Partition: p.Partition, Offset: o.Offset, KeyHash: o.KeyHash,
					Since: o.Since, Attempts: o.Attempts, LastError: o.LastError,
				})
			}
		}
	}
	return list
}

func (a *answer) losses() []Loss {
	var list []Loss
	for _, m := range a.Members {
		for _, p := range m.Partitions {
			if l := p.Loss; l != nil {
				list = append(list, Loss{Partition: p.Partition, From: l.From, To: l.To, Reason: l.Reason, At: l.At})
			}
		}
	}
	return list
}

// differs reports whether the difference is worth waking anybody: busy pools and
// growing counts of attempts are not.
func (f Facts) differs(old Facts) bool {
	return f.Rebalancing != old.Rebalancing || !slices.Equal(f.Losses, old.Losses) ||
		!slices.EqualFunc(f.Stuck, old.Stuck, func(a, b Stuck) bool {
			return a.Partition == b.Partition && a.Offset == b.Offset && a.LastError == b.LastError && a.Halted == b.Halted
		})
}
