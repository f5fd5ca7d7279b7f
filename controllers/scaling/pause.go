package scaling

import "time"

// pause measures the time in which nothing is processed when the pods change.
type pause struct {
	// changing is set from a change of the pods until they have settled.
	changing bool
	// sofar belongs to the present change, learned to the last one that has settled.
	sofar, learned time.Duration
}

// longestPause is the longest pause that a change of the pods can explain. A longer
// one has another cause.
const longestPause = 2 * time.Minute

// notePause adds the time up to next to the pause if nothing was processed in it.
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

// end ends the measurement when the pods have settled.
func (p *pause) end() {
	if p.changing {
		p.changing, p.learned = false, min(p.sofar, longestPause)
	}
}
