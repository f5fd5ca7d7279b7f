package scaling

import (
	"fmt"
	"slices"
	"time"
)

// Input is everything that a Decision depends on.
type Input struct {
	// History must not change during the call of Decide.
	History *History
	Policy  Policy
	// Partitions is the last known number of partitions of the input topic, 0 if it
	// was never known.
	Partitions int32
	// Current is the number of pods that are asked for at present.
	Current int32
	Now     time.Time
	// CPU is the limit that each pod should have at present; 0 for none.
	CPU CPU
	// Resize is the progress of the pods towards CPU.
	Resize Resize
	// LastChange is the time at which a Decision was last carried out; zero if none
	// ever was.
	LastChange time.Time
	// KafkaReachable is set if Kafka answered the last requests.
	KafkaReachable bool
}

// Decision is the number of pods, the CPU of each, and the reason.
type Decision struct {
	// From is Input.Current. To equals it if the number does not change.
	From, To int32
	// FromCPU is Input.CPU. ToCPU equals it if the CPU does not change.
	FromCPU, ToCPU CPU
	// Cap is the highest number of pods: the lower of Policy.Max and the number of
	// partitions, which counts once it is known.
	Cap int32
	// Reason is the rule that decided.
	Reason Reason
	// Message explains the decision to a person, with figures.
	Message string
	Inputs  Inputs

	needed int32 // the fewest pods that are enough; 0 if that is unknown
}

// Changed reports whether the decision changes the number of pods or their CPU.
func (d Decision) Changed() bool { return d.From != d.To || d.FromCPU != d.ToCPU }

// Inputs are the figures behind a Decision, each as in Measurement.
type Inputs struct {
	Lag                                  int64
	LagSeconds                           *int64
	ArrivedPerSecond, ProcessedPerSecond float64
	// Saturation is below 0 if it is unknown.
	Saturation float64
	// Stuck are the partitions that the Decision ignores.
	Stuck []int32
}

// Decide returns the number of pods and the CPU of each. Decision.To is always between
// Policy.Min and Decision.Cap; the cap wins if it is the lower of the two.
func Decide(in Input) Decision {
	s := newSituation(in)
	v := s.cooledDown(cpuRules{s, s.Policy.Vertical.limits(s.Resize.Room)}.complete(*s.podVerdict()))
	d := Decision{
		From: in.Current, To: min(max(v.to, s.floor), s.cap), FromCPU: in.CPU, ToCPU: v.cpu, Cap: s.cap,
		Reason: v.reason, Message: v.message, Inputs: inputs(s.History),
	}
	if s.ratesKnown() && s.Current > 0 {
		d.needed = max(lowerRules{s}.fewestPods(s.newest), 1, s.floor)
	}
	if v.to > d.To && d.To == d.From {
		d.Reason = AtCap
		d.Message = fmt.Sprintf("%s; %d pods are needed, and %s", v.message, v.to, s.capSource())
	}
	return d
}

// podVerdict asks the rules about the number of pods in order. The first rule with a
// verdict decides.
func (s *situation) podVerdict() *verdict {
	hold, raise, lower := holdRules{s}, raiseRules{s}, lowerRules{s}
	for _, rule := range []func() *verdict{
		hold.outOfBounds,
		hold.kafkaUnreachable,
		hold.offsetsUnknown,
		hold.noPods,
		lower.toZero,
		hold.unsettled,
		hold.noProgress,
		raise.takeBack,
		raise.raise,
		lower.lower,
	} {
		if v := rule(); v != nil {
			return v
		}
	}
	if s.floor == 0 && s.newest.lag == 0 && s.newest.arrived == 0 {
		return s.keep(Stabilizing, "no records arrive, but this has not lasted %v yet", s.Policy.DownWindow)
	}
	return s.keep(OnTarget, "the pods keep up, and fewer pods are not known to be enough")
}

// cooledDown delays a change until Cooldown has passed since the last one. The bounds
// apply at once, and so does the first pod for records that wait.
func (s *situation) cooledDown(v verdict) verdict {
	left := s.Policy.Cooldown - s.Now.Sub(s.LastChange)
	if v.to == s.Current && v.cpu == s.CPU || s.LastChange.IsZero() || left <= 0 {
		return v
	}
	switch v.reason {
	case AboveCap, BelowMin, NewRecords, NoRoom:
		return v
	}
	return *s.keep(CoolingDown, "a change is due (%s), but the last one was at %s and behavior.cooldown is %v: %s",
		v.reason, moment(s.LastChange), s.Policy.Cooldown, v.message)
}

func inputs(h *History) Inputs {
	m := Measure(h)
	return Inputs{
		Lag: m.Lag, LagSeconds: m.LagSeconds,
		ArrivedPerSecond: m.ArrivedPerSecond, ProcessedPerSecond: m.ProcessedPerSecond,
		Saturation: m.Saturation, Stuck: slices.Clone(m.Stuck),
	}
}
