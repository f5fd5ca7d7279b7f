package offsets

// A cluster may keep less metadata than MaxMetadata. Then the marks for crashes
// have priority. If the rest has room for a map of two dense spans, the tracker
// admits only what fits into it. Otherwise it admits without regard to the map,
// which is committed when it happens to fit.

// LimitMetadata makes Fits and Room follow a limit of the metadata's length in
// bytes. Spans that were admitted before it may not fit.
func (t *Tracker) LimitMetadata(limit int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.maxMap = mapBound(limit)
}

// mapBound returns how many bytes the map of admitted spans may take where the
// metadata may take limit, or noBound.
func mapBound(limit int) int {
	if bound := mapRoom(limit); bound >= 2*spanCost(MaxSpanRecords, MaxSpanRecords) {
		return bound
	}
	return noBound
}

// noBound is a bound that is never reached.
const noBound = 1 << 40

// mapRoom returns how many bytes of a map fit into metadata of limit bytes,
// whatever the marks are.
func mapRoom(limit int) int { return (limit-len(prefix))/4*3 - checksumSize - maxHeader }

// HoldsMap reports whether metadata of limit bytes has room for maps; otherwise
// what is settled above the watermark is forgotten in a crash.
func HoldsMap(limit int) bool { return mapBound(limit) != noBound }

// EncodeWithin returns the metadata to commit with the watermark, in at most limit
// bytes. It leaves out the map if that does not fit, then all but the marks for
// crashes, and then these too.
func (s State) EncodeWithin(watermark int64, limit int) string {
	if all := s.Encode(watermark); len(all) <= limit {
		return all
	}
	for _, less := range [...]State{{Origin: s.Origin, Marks: s.Marks}, {Marks: s.Marks}} {
		if marks := less.Encode(watermark); len(marks) <= limit {
			return marks
		}
	}
	return ""
}
