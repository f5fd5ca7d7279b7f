package simulate

import "slices"

// model is the progress of the processing of the partitions.
type model struct {
	scenario Scenario
	arrived  trace
	done     []float64
	// cpu is the CPU of a pod, as a multiple of the CPU at its start.
	cpu float64
}

func newModel(s Scenario, t trace) *model {
	return &model{scenario: s, arrived: t, done: make([]float64, s.Partitions), cpu: 1}
}

func (m *model) clone() *model {
	c := *m
	c.done = slices.Clone(m.done)
	return &c
}

// capacity returns the number of records that one pod can process in a second.
func (m *model) capacity() float64 {
	if m.scenario.CPUDoesNotHelp {
		return m.scenario.Capacity
	}
	return m.scenario.Capacity * m.cpu
}

// step processes for a second with that many pods. It returns the number of processed records
// and the saturation of the pods.
func (m *model) step(second, pods int) (processed, saturation float64) {
	if pods == 0 || m.scenario.out(second) {
		return 0, 0
	}
	shares := make([]float64, len(m.done))
	for pod := range pods {
		m.share(shares, second, pod, pods)
	}
	for _, s := range shares {
		processed += s
	}
	busy := processed / (float64(pods) * m.capacity())
	if limit := m.scenario.Shared; limit > 0 && processed > limit {
		for p := range shares {
			shares[p] *= limit / processed
		}
		processed = limit
	}
	for p, s := range shares {
		m.done[p] += s
	}
	if m.scenario.BlindPools {
		busy /= 3
	}
	return processed, min(1, busy)
}

// share divides a pod's second among its partitions. Each gets as much as it needs, but no
// more than an equal share of the time that is left.
func (m *model) share(shares []float64, second, pod, pods int) {
	var own []int
	for p := pod; p < len(m.done); p += pods {
		if !m.scenario.stuck(second, p) {
			own = append(own, p)
		}
	}
	need := func(p int) float64 { return m.arrived[p][second+1] - m.done[p] }
	slices.SortFunc(own, func(a, b int) int {
		if need(a) < need(b) {
			return -1
		}
		return 1
	})
	left := m.capacity()
	for i, p := range own {
		shares[p] = min(need(p), left/float64(len(own)-i))
		left -= shares[p]
	}
}

// waited returns the seconds that the oldest unprocessed record has waited, in the worst
// partition that is not stuck.
func (m *model) waited(second int) float64 {
	worst := 0.0
	for p, done := range m.done {
		if !m.scenario.stuck(second-1, p) {
			worst = max(worst, m.arrived.waited(p, second, done))
		}
	}
	return worst
}

// lag returns the number of unprocessed records.
func (m *model) lag(second int) (lag float64) {
	for p, done := range m.done {
		lag += m.arrived[p][second] - done
	}
	return lag
}
