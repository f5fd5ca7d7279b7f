package engine

import "sync"

// turns keeps a record that is tried alone apart from the windows of the
// process's other suspected partitions: if the process dies then, it is right to
// blame that record. Partitions without suspicion read on beside it.
type turns struct {
	mu     sync.Mutex
	shared map[*partition]bool // those with a window under way; guarded by mu
	alone  *partition          // the one that tries a record alone; guarded by mu
}

// share lets p have a window under way beside others'.
func (t *turns) share(p *partition) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.alone != nil && t.alone != p {
		return false
	}
	if t.shared == nil {
		t.shared = make(map[*partition]bool)
	}
	t.alone = nil
	t.shared[p] = true
	return true
}

// takeAlone lets p try a record alone, if no window is under way.
func (t *turns) takeAlone(p *partition) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.alone == nil && len(t.shared) == 0 {
		t.alone = p
	}
	return t.alone == p
}

// leave ends p's turn, and reports whether that may let others go on.
func (t *turns) leave(p *partition) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	had := t.alone == p || t.shared[p]
	if t.alone == p {
		t.alone = nil
	}
	delete(t.shared, p)
	return had
}
