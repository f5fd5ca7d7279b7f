package scaling

import (
	"slices"
	"time"
)

// Input is all that a Decision depends on.
type Input struct {
	// History must not be written to meanwhile.
	History *History
	Policy  Policy
	// Partitions is how many the input topic has as last known; 0 if it never
	// was.
	Partitions int32
	// Current is how many pods there are to be at present.
	Current int32
	Now     time.Time
	// CPU is the limit that each pod is to have at present; 0 for none.
	CPU CPU
	// Resize is how far the pods have come to it.
	Resize Resize
	// LastChange is when a Decision was last carried out; zero if none ever was.
	LastChange time.Time
	// KafkaReachable: the last questions were answered.
	KafkaReachable bool
}

// Decision is how many pods there are to be, with how much CPU each, and why.
type Decision struct {
	// From is Input.Current. To equals it if nothing is to change.
	From, To int32
	// FromCPU is Input.CPU. ToCPU equals it if it is not to change.
	FromCPU, ToCPU CPU
	// Cap is the most there may be: the lower of Policy.Max and the number of
	// partitions, which does not count while it is not known.
	Cap int32
	// Reason is the rule that decided.
	Reason Reason
	// Message says the same to a person, with figures.
	Message string
	Inputs  Inputs

	needed int32 // the fewest pods that are enough; 0 while that is not known
}

// Changed reports whether the number of pods or their CPU is to change.
func (d Decision) Changed() bool { return d.From != d.To || d.FromCPU != d.ToCPU }

// Inputs are the figures that a Decision went by, each as in Measurement.
type Inputs struct {
	Lag                                  int64
	LagSeconds                           *int64
	ArrivedPerSecond, ProcessedPerSecond float64
	// Saturation is below 0 if it is not known.
	Saturation float64
	// Stuck are the partitions that were left out of account.
	Stuck []int32
}

// Decide tells how many pods there are to be. To is within Min and Cap, whatever
// the reason.
func Decide(in Input) Decision {
	c := newChoice(in)
	v := c.judge()
	d := Decision{
		From: in.Current, To: min(max(v.to, c.floor), c.cap), FromCPU: in.CPU, ToCPU: v.cpu, Cap: c.cap,
		Reason: v.reason, Message: v.message, Inputs: c.inputs(),
	}
	if c.known() && c.Current > 0 {
		d.needed = max(c.fewest(c.now), 1, c.floor)
	}
	if v.to > d.To && d.To == d.From {
		d.Reason = AtCap
		d.Message = c.say("%s; %d pods would be needed, and %s", v.message, v.to, c.bound())
	}
	return d
}

// verdict is what a rule says.
type verdict struct {
	to      int32
	cpu     CPU
	reason  Reason
	message string
}

// choice is what the rules share.
type choice struct {
	Input
	floor, cap int32
	// now is nil while there is no sample.
	now *assessment
}

func newChoice(in Input) *choice {
	in.Policy = in.Policy.withDefaults()
	if in.History == nil {
		in.History = new(History)
	}
	c := &choice{Input: in, cap: max(0, in.Policy.Max)}
	if in.Partitions > 0 {
		c.cap = min(c.cap, in.Partitions)
	}
	c.floor = min(max(0, in.Policy.Min), c.cap)
	if len(in.History.samples) > 0 {
		c.now = c.assess(in.History.samples)
	}
	return c
}

func (c *choice) assess(samples []Sample) *assessment {
	return assess(samples, c.Policy.RebalanceWait, c.Policy.StuckAfter)
}

// rules are asked in this order; the first that has a verdict decides.
var rules = []func(*choice) *verdict{
	(*choice).bounds,
	(*choice).unreachable,
	(*choice).unknown,
	(*choice).asleep,
	(*choice).idle,
	(*choice).unsettled,
	(*choice).noneMoves,
	(*choice).takeBack,
	(*choice).raise,
	(*choice).lower,
}

func (c *choice) judge() verdict {
	for _, rule := range rules {
		if v := rule(c); v != nil {
			return c.cooled(c.sized(*v))
		}
	}
	if c.floor == 0 && c.now.lag == 0 && c.now.arrived == 0 {
		return c.cooled(c.sized(*c.stay(Stabilizing, "nothing arrives, but not for %v yet", c.Policy.DownWindow)))
	}
	return c.cooled(c.sized(*c.stay(OnTarget, "the pods keep up, and fewer are not known to")))
}

// cooled keeps a change waiting until Cooldown has passed since the one before.
// Bounds always hold, and records that wait for a first pod don't wait for it.
func (c *choice) cooled(v verdict) verdict {
	left := c.Policy.Cooldown - c.Now.Sub(c.LastChange)
	if v.to == c.Current && v.cpu == c.CPU || c.LastChange.IsZero() || left <= 0 {
		return v
	}
	switch v.reason {
	case AboveCap, BelowMin, NewRecords, NoRoom:
		return v
	}
	return *c.stay(CoolingDown, "a change is due (%s), but no sooner than %v after the one at %s, by behavior.cooldown: %s",
		v.reason, c.Policy.Cooldown, moment(c.LastChange), v.message)
}

func (c *choice) inputs() Inputs {
	m := Measure(c.History)
	return Inputs{
		Lag: m.Lag, LagSeconds: m.LagSeconds,
		ArrivedPerSecond: m.ArrivedPerSecond, ProcessedPerSecond: m.ProcessedPerSecond,
		Saturation: m.Saturation, Stuck: slices.Clone(m.Stuck),
	}
}
