package scaling

import "fmt"

// stay is the verdict that nothing is to change.
func (c *choice) stay(reason Reason, format string, args ...any) *verdict {
	return c.change(c.Current, reason, format, args...)
}

func (c *choice) change(to int32, reason Reason, format string, args ...any) *verdict {
	return &verdict{to: to, cpu: c.CPU, reason: reason, message: c.say(format, args...)}
}

func (c *choice) say(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// bound names what the cap comes from.
func (c *choice) bound() string {
	if c.Partitions > 0 && c.Partitions <= c.Policy.Max {
		return fmt.Sprintf("the topic has %d partitions", c.Partitions)
	}
	return fmt.Sprintf("maxReplicas is %d", c.Policy.Max)
}

// load says how much arrives and is processed.
func (c *choice) load() string {
	return fmt.Sprintf("%s records/s arrive, %s are processed", rate(c.now.arrived), rate(c.now.processed))
}

// rate is one for a person.
func rate(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}
