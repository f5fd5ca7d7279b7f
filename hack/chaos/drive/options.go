package drive

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// Options say what to run.
type Options struct {
	Seed     uint64
	Duration time.Duration
	Delivery config.Delivery
	Program  subject.Name
	// Rate is the number of records a second.
	Rate int
	// Orderings are those of the episodes, in turn.
	Orderings []config.Ordering
	// Leniency is how many times its bound a stall may take. It is above 1 on a machine
	// whose speed is not known.
	Leniency int
	// Dir gets the data and logs.
	Dir string
	// Script is the path of hack/kafka.sh.
	Script string
	Out    io.Writer
}

// shortestEpisode and longestEpisode bound the time of one episode.
const (
	shortestEpisode = time.Minute
	longestEpisode  = 5 * time.Minute
)

// episodes returns how many episodes of which length a run has: as many as there are
// orderings, or a multiple of that, unless they would be too short.
func (o Options) episodes() (n int, each time.Duration) {
	n = len(o.Orderings)
	for o.Duration/time.Duration(n) > longestEpisode {
		n += len(o.Orderings)
	}
	for n > 1 && o.Duration/time.Duration(n) < shortestEpisode {
		n--
	}
	return n, o.Duration / time.Duration(n)
}

// Settings are the settings of one episode, which follow from the seed.
type Settings struct {
	Ordering         config.Ordering `json:"ordering"`
	Partitions       int32           `json:"inputPartitions"`
	OutputPartitions int32           `json:"outputPartitions"`
	Workers          int             `json:"workers"`
	Members          int             `json:"membersPerWorker"`
	Concurrency      int             `json:"concurrency"`
	InFlight         int             `json:"inFlight"`
}

// String describes the settings in a line.
func (s Settings) String() string {
	return fmt.Sprintf("ordering %s, %d input and %d output partitions, %d workers of %d members, concurrency %d, %d records in flight",
		s.Ordering, s.Partitions, s.OutputPartitions, s.Workers, s.Members, s.Concurrency, s.InFlight)
}

// episode holds what an episode follows from.
type episode struct {
	number   int
	settings Settings
	names    names
	length   time.Duration
	pick     *rand.Rand // for the schedule
	seed     uint64     // of the generator
}

// episode returns the n-th episode, from 0.
func (o Options) episode(n int, length time.Duration) episode {
	pick := rand.New(rand.NewPCG(o.Seed, uint64(n)))
	suffix := strconv.Itoa(n + 1)
	first := int(o.Seed % uint64(len(o.Orderings)))
	workers, members := 2+pick.IntN(2), 1+pick.IntN(2)
	if o.Delivery == config.ExactlyOnce {
		// Each member's transactions cost three brokers a sixth of a processor, and brokers
		// and workers share what the machine has.
		members = 1
	}
	return episode{
		number: n,
		settings: Settings{
			Ordering:         o.Orderings[(first+n)%len(o.Orderings)],
			Partitions:       6 + pick.Int32N(4),
			OutputPartitions: 4 + pick.Int32N(3),
			Workers:          workers,
			Members:          members,
			Concurrency:      2 + pick.IntN(3),
			InFlight:         500 << pick.IntN(3),
		},
		names:  names{Input: "in-" + suffix, Output: "out-" + suffix, DeadLetter: "dead-" + suffix, Group: "chaos-" + suffix},
		length: length,
		seed:   pick.Uint64(),
		pick:   pick,
	}
}

// topicConfigs are the settings of all topics.
var topicConfigs = map[string]string{
	"max.message.bytes":      strconv.Itoa(workload.MaxMessageBytes),
	"message.timestamp.type": "LogAppendTime",
}

// draw returns how the generator picks the kinds of records. The loops of other clients
// have no answer to an output that is too large.
func (o Options) draw() func(*rand.Rand) workload.Kind {
	if o.Program == subject.Millrace {
		return workload.Draw
	}
	return func(pick *rand.Rand) workload.Kind {
		for {
			if kind := workload.Draw(pick); kind != workload.Oversize {
				return kind
			}
		}
	}
}
