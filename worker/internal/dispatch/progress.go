package dispatch

// Attempts returns a number that changes with every attempt that ends, and whether an
// attempt is under way. The watchdog ends attempts that take too long.
func (p *Pool) Attempts() (count uint64, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count = p.left
	for _, r := range *p.runners.Load() {
		state := r.state.Load()
		count += state / numbers
		running = running || state%numbers != 0
	}
	return count, running
}
