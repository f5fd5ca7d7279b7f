package simulate

import (
	"math/rand/v2"
	"time"
)

// trace holds the number of records that have arrived in each partition by the end of each
// second, including the backlog.
type trace [][]float64

// noise is the relative variation of the arrival from second to second.
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

// waited returns the seconds that the oldest unprocessed record of a partition has waited.
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
