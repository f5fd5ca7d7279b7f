package protocol

// seen is a set of hashes: a table of them with open addressing. Zero is an empty place,
// and the hash of no state that matters.
type seen struct {
	table []uint64
	n     int
}

// add adds a hash, and reports whether it was not there.
func (s *seen) add(hash uint64) bool {
	if 4*s.n >= 3*len(s.table) {
		s.grow()
	}
	if !s.put(hash) {
		return false
	}
	s.n++
	return true
}

func (s *seen) put(hash uint64) bool {
	mask := uint64(len(s.table) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch s.table[i] {
		case hash:
			return false
		case 0:
			s.table[i] = hash
			return true
		}
	}
}

func (s *seen) grow() {
	old := s.table
	s.table = make([]uint64, max(1<<10, 2*len(old)))
	for _, hash := range old {
		if hash != 0 {
			s.put(hash)
		}
	}
}
