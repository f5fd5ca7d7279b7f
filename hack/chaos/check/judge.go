package check

// judge compares what a checker has read with what the driver did: it knows which faults
// explain duplicates, commits that move back and gaps. It works while the checker's lock is
// held, and adds to the checker's figures and violations.
type judge struct {
	c       *Checker
	history History
	lives   map[string]Life
}

func newJudge(c *Checker, h History) *judge {
	lives := make(map[string]Life, len(h.Lives))
	for _, l := range h.Lives {
		lives[l.Process] = l
	}
	return &judge{c: c, history: h, lives: lives}
}
