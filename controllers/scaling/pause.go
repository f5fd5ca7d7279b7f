package scaling

import "time"

// pause is for how long nothing is processed when the pods change.
type pause struct {
	// changing: the pods have changed and have not settled yet.
	changing bool
	// sofar is of the present change, learned of the last.
	sofar, learned time.Duration
}

// longestPause bounds what is believed of a pause: what is longer has another
// cause.
const longestPause = 2 * time.Minute

func (h *History) notePause(next *Sample) {
	if len(h.samples) == 0 {
		return
	}
	last := h.samples[len(h.samples)-1]
	if next.Replicas != last.Replicas {
		h.pause.changing, h.pause.sofar = true, 0
	}
	if h.pause.changing && still([]Sample{last, *next}) {
		h.pause.sofar += next.At.Sub(last.At)
	}
}

// end says that the pods have settled.
func (p *pause) end() {
	if p.changing {
		p.changing, p.learned = false, min(p.sofar, longestPause)
	}
}
