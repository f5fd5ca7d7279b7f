package offsets

// A cluster may keep less metadata than MaxMetadata. Then the marks for crashes have
// priority. If the map of two dense spans fits beside them, the tracker admits only
// spans whose map fits. Otherwise it admits spans without regard to the map, and a
// commit holds the map only when it happens to fit.

// LimitMetadata makes Fits and Room follow a limit of the metadata's length in bytes.
// The maps of spans that were admitted before the call may not fit.
func (t *Tracker) LimitMetadata(limit int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.maxMap = mapBound(limit)
}

// mapBound returns how many bytes the map of admitted spans may take if the metadata may
// take limit bytes, or noBound.
func mapBound(limit int) int {
	if bound := mapRoom(limit); bound >= 2*spanCost(MaxSpanRecords, MaxSpanRecords) {
		return bound
	}
	return noBound
}

// noBound is larger than any map.
const noBound = 1 << 40

// mapRoom returns how many bytes of a map fit into metadata of limit bytes beside the
// largest marks.
func mapRoom(limit int) int { return (limit-len(prefix))/4*3 - checksumSize - maxHeader }

// HoldsMap reports whether metadata of limit bytes has room for maps. Without maps, a
// crash makes the group forget which records above the watermark are settled.
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
