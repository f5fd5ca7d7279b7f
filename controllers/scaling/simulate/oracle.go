package simulate

// oracleStep is the number of seconds for which the oracle keeps a number of pods.
const oracleStep = 60

// oracle returns the number of pods at each second for an autoscaling that knows the future
// load, and whose pods start at once and rebalance for free. In each step it uses the fewest
// pods within the bounds that keep records from waiting, so that no lag remains for the next
// step. If no number of pods does, it uses the fewest that process as much as the most pods.
// Like the policy it changes nothing while no broker answers.
func oracle(s Scenario, t trace) []int32 {
	m := newModel(s, t)
	pods := make([]int32, s.seconds())
	n := s.Replicas
	for from := 0; from < s.seconds(); from += oracleStep {
		to := min(from+oracleStep, s.seconds())
		if !s.out(to - 1) {
			n = m.fewest(from, to)
		}
		for second := from; second < to; second++ {
			m.step(second, int(n))
			pods[second] = n
		}
	}
	return pods
}

// served is how long records may wait at the end of a step, in seconds. enough is the ratio of
// lags up to which fewer pods count as good as the most pods.
const (
	served = 2.0
	enough = 1.01
)

func (m *model) fewest(from, to int) int32 {
	lowest, highest := m.scenario.Policy.Min, m.scenario.cap()
	most := m.after(from, to, highest)
	for n := lowest; n < highest; n++ {
		c := m.after(from, to, n)
		if c.waited(to) <= served || c.lag(to) <= enough*most.lag(to) {
			return n
		}
	}
	return highest
}

// after returns the state after that many pods have processed from from to to.
func (m *model) after(from, to int, pods int32) *model {
	c := m.clone()
	for second := from; second < to; second++ {
		c.step(second, int(pods))
	}
	return c
}
