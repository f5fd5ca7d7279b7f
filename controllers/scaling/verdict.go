package scaling

import (
	"fmt"
	"time"
)

// verdict is the answer of a rule.
type verdict struct {
	to      int32
	cpu     CPU
	reason  Reason
	message string
}

// keep returns the verdict that nothing changes.
func (s *situation) keep(reason Reason, format string, args ...any) *verdict {
	return s.change(s.Current, reason, format, args...)
}

// change returns the verdict that the number of pods changes.
func (s *situation) change(to int32, reason Reason, format string, args ...any) *verdict {
	return &verdict{to: to, cpu: s.CPU, reason: reason, message: fmt.Sprintf(format, args...)}
}

// resize returns the verdict that each pod gets that much CPU.
func (s *situation) resize(cpu CPU, reason Reason, format string, args ...any) *verdict {
	v := s.keep(reason, format, args...)
	v.cpu = cpu
	return v
}

// capSource says where the cap comes from.
func (s *situation) capSource() string {
	if s.Partitions > 0 && s.Partitions <= s.Policy.Max {
		return fmt.Sprintf("the topic has %d partitions", s.Partitions)
	}
	return fmt.Sprintf("maxReplicas is %d", s.Policy.Max)
}

// load describes the present rates.
func (s *situation) load() string {
	return fmt.Sprintf("%s records/s arrive and %s are processed", rate(s.newest.arrived), rate(s.newest.processed))
}

// rate formats a rate for a person.
func rate(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

// moment formats a time for a person.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// cpuChange describes a change of the CPU.
func cpuChange(from, to CPU) string {
	return fmt.Sprintf("each pod gets %v of CPU instead of %v", to, from)
}
