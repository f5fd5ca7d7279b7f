package simulate

import (
	"math/rand/v2"
	"time"
)

// trace is how many records had arrived in each partition by the end of each
// second, the backlog included.
type trace [][]float64

// noise is by how much the arrival varies from second to second.
const noise = 0.15

func newTrace(s Scenario) trace {
	random := rand.New(rand.NewPCG(1, 2))
	t := make(trace, s.Partitions)
	for p := range t {
		t[p] = make([]float64, s.seconds()+1)
		t[p][0] = s.Backlog
	}
	held := make([]float64, s.Partitions)
	for second := range s.seconds() {
		for p := range t {
			rate := s.Arrival(time.Duration(second)*time.Second, p)
			held[p] += rate * (1 + noise*(2*random.Float64()-1))
			t[p][second+1] = t[p][second]
			if !s.out(second) {
				t[p][second+1] += held[p]
				held[p] = 0
			}
		}
	}
	return t
}

// waited is how many seconds the oldest record of a partition that is not
// processed has waited by a time.
func (t trace) waited(partition, second int, done float64) float64 {
	at := second
	for at >= 0 && t[partition][at] > done+0.5 {
		at--
	}
	if at == second {
		return 0
	}
	return float64(second - at - 1)
}
