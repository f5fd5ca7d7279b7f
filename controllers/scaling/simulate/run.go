package simulate

import (
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// Point is the state in one second of a run.
type Point struct {
	// Arrived and Processed are the records in that second; Capacity is the number that
	// the ready pods could have processed.
	Arrived, Processed, Capacity float64
	Lag                          float64
	// Waited is the time in seconds that the oldest record has waited, not counting stuck
	// partitions.
	Waited float64
	// Replicas is the number of pods that are asked for; Oracle is the number that the
	// oracle uses.
	Replicas, Ready, Oracle int32
	// CPU is the CPU of each pod.
	CPU    scaling.CPU
	Outage bool
}

// Act is a decision that changed the number of pods or their CPU, or had another reason than
// the one before.
type Act struct {
	At time.Duration
	scaling.Decision
}

// Run is the course of a scenario.
type Run struct {
	Scenario Scenario
	Points   []Point
	Acts     []Act
	// Highest is the highest number of pods that any decision asked for.
	Highest int32
}

// begin is the time at which all runs begin.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Play runs a scenario.
func Play(s Scenario) *Run {
	t := newTrace(s)
	r := &runner{
		run: &Run{Scenario: s}, model: newModel(s, t), random: rand.New(rand.NewPCG(3, 4)),
		replicas: s.Replicas, ready: s.Replicas, wanted: s.Policy.Vertical.Base, cpu: s.Policy.Vertical.Base,
	}
	best := oracle(s, t)
	for second := range s.seconds() {
		r.second(second)
		r.run.Points[second].Oracle = best[second]
	}
	return r.run
}

// runner is the state of a run.
type runner struct {
	run    *Run
	model  *model
	random *rand.Rand

	history         scaling.History
	replicas, ready int32
	// readyAt is the second at which the pods are ready that were asked for last,
	// pausedUntil the end of the last rebalance, pollAt the next request to Kafka.
	readyAt, pausedUntil int
	pollAt               float64
	// wanted is the decided CPU of each pod, cpu its present CPU. resizedAt is the second
	// at which they become equal, room the known room of the nodes.
	wanted, cpu, room scaling.CPU
	resizedAt         int
	saturation        float64
}

func (r *runner) second(second int) {
	s := r.run.Scenario
	if r.ready != r.replicas && second >= r.readyAt {
		r.ready = r.replicas
		r.pausedUntil = second + int(s.Rebalance/time.Second)
	}
	if second >= r.resizedAt {
		r.resize()
	}
	var processed, busy float64
	if second >= r.pausedUntil {
		processed, busy = r.model.step(second, int(r.ready))
	}
	r.saturation += (busy - r.saturation) / 10 // a mean of about ten seconds
	point := Point{
		Processed: processed, Capacity: r.capacity(), Lag: r.model.lag(second + 1), Waited: r.model.waited(second + 1),
		Replicas: r.replicas, Ready: r.ready, CPU: r.cpu, Outage: s.out(second),
	}
	for p := range s.Partitions {
		point.Arrived += r.model.arrived[p][second+1] - r.model.arrived[p][second]
	}
	r.run.Points = append(r.run.Points, point)
	if float64(second) >= r.pollAt {
		r.pollAt += s.Poll.Seconds() * (0.9 + 0.2*r.random.Float64())
		r.decide(second)
	}
}

func (r *runner) capacity() float64 {
	c := float64(r.ready) * r.model.capacity()
	if shared := r.run.Scenario.Shared; shared > 0 {
		c = min(c, shared)
	}
	return c
}

func (r *runner) decide(second int) {
	s := r.run.Scenario
	now := begin.Add(time.Duration(second+1) * time.Second)
	if !s.out(second) {
		r.history.Append(r.sample(second, now))
	}
	d := scaling.Decide(scaling.Input{
		History: &r.history, Policy: s.Policy, Partitions: int32(s.Partitions),
		Current: r.replicas, CPU: r.wanted, Resize: scaling.Resize{Pending: r.cpu != r.wanted, Room: r.room, Message: "as the node says"},
		Now: now, KafkaReachable: !s.out(second),
	})
	r.run.Highest = max(r.run.Highest, d.To)
	if n := len(r.run.Acts); d.Changed() || n == 0 || r.run.Acts[n-1].Reason != d.Reason {
		r.run.Acts = append(r.run.Acts, Act{time.Duration(second+1) * time.Second, d})
	}
	if d.To != d.From {
		r.scale(second, d.To)
	}
	if d.ToCPU != d.FromCPU {
		r.wanted, r.resizedAt = d.ToCPU, second+1+int(s.Resize/time.Second)
	}
}

// resize gives the pods the decided CPU, as far as there is room.
func (r *runner) resize() {
	if room := r.run.Scenario.Room; room > 0 && r.wanted > room {
		r.room = room
		return
	}
	r.cpu = r.wanted
	if base := r.run.Scenario.Policy.Vertical.Base; base > 0 {
		r.model.cpu = float64(r.cpu) / float64(base)
	}
}

// scale starts pods, or stops some at once.
func (r *runner) scale(second int, to int32) {
	r.readyAt = second + 1
	if to > r.ready {
		r.readyAt = second + int(r.run.Scenario.StartUp/time.Second)
	}
	r.replicas = to
}

// sample returns the answers of Kafka and of the pods.
func (r *runner) sample(second int, now time.Time) scaling.Sample {
	sample := scaling.Sample{
		At: now, Replicas: r.replicas, Ready: r.ready, CPU: r.cpu, Saturation: r.saturation,
		Rebalancing: second < r.pausedUntil,
	}
	if r.run.Scenario.SilentPools || r.ready == 0 {
		sample.Saturation = -1
	}
	for p, done := range r.model.done {
		sample.Partitions = append(sample.Partitions, scaling.Partition{
			ID: int32(p), End: int64(r.model.arrived[p][second+1]), Committed: int64(done),
		})
	}
	return sample
}
