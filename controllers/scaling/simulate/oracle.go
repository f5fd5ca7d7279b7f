package simulate

// oracleStep is how many seconds the oracle keeps a number of pods.
const oracleStep = 60

// oracle knows what will arrive, its pods start at once and rebalance for
// nothing. In each step it takes the fewest pods within the bounds that keep
// records from waiting, so that no lag is handed on to the next step; where no
// number does, the fewest that get as much done as the most. Like the policy it
// changes nothing while no broker answers.
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

// served is how long records may wait at the end of an oracle's step, and enough
// how much more lag than with the most pods is as good as that.
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

// after is how it stands when that many pods have processed for a time.
func (m *model) after(from, to int, pods int32) *model {
	c := m.clone()
	for second := from; second < to; second++ {
		c.step(second, int(pods))
	}
	return c
}
