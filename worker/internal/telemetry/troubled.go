package telemetry

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// The answer to /status?troubled leaves out healthy partitions, so that its size does
// not grow with a member's partitions. An operator asks many workers, and reads at most
// MaxTroubled bytes from each.
const (
	// MaxTroubled bounds the answer in bytes.
	MaxTroubled = 64 << 10
	// troubledAfter is how long a record has to hold its watermark before the answer
	// includes its partition.
	troubledAfter = 30 * time.Second
	// troubledShown bounds the partitions of a member in the answer, troubleText the
	// bytes of each text about one of them.
	troubledShown = 40
	troubleText   = 512
)

// encodeTroubled encodes the answer. It leaves out partitions if the answer would be too
// large.
func encodeTroubled(s workerstatus.Status) ([]byte, error) {
	for shown := troubledShown; ; shown /= 2 {
		content, err := json.Marshal(troubled(s, shown))
		if err != nil || len(content) <= MaxTroubled || shown == 0 {
			return content, err
		}
	}
}

// troubled returns the status with only those partitions that are halted, have lost
// offsets, can't be committed or wait for one record. The worst of each member come
// first.
func troubled(s workerstatus.Status, shown int) workerstatus.Status {
	s.Silent = slices.Clone(s.Silent)
	for i := range s.Silent {
		s.Silent[i].Error = shorten(s.Silent[i].Error)
	}
	if e := s.Expressions; e != nil {
		s.Expressions = new(*e)
		s.Expressions.Error = shorten(e.Error)
	}
	if p := s.Processes; p != nil {
		s.Processes = new(*p)
		s.Processes.LastError = shorten(p.LastError)
	}
	s.Members = slices.Clone(s.Members)
	for i := range s.Members {
		m := &s.Members[i]
		m.Partitions = slices.DeleteFunc(slices.Clone(m.Partitions), func(p workerstatus.Partition) bool { return trouble(&p) == 0 })
		slices.SortStableFunc(m.Partitions, func(a, b workerstatus.Partition) int { return cmp.Compare(trouble(&b), trouble(&a)) })
		m.Partitions = m.Partitions[:min(len(m.Partitions), shown)]
		for i := range m.Partitions {
			shortenTexts(&m.Partitions[i])
		}
	}
	return s
}

// trouble returns 0 for a healthy partition, and higher numbers for worse trouble.
func trouble(p *workerstatus.Partition) int {
	switch {
	case p.HaltedSince != nil:
		return 4
	case p.Loss != nil:
		return 3
	case p.OldestUnsettled != nil && p.OldestUnsettled.AgeSeconds >= troubledAfter.Seconds():
		return 2
	case p.Error != "":
		return 1
	default:
		return 0
	}
}

func shortenTexts(p *workerstatus.Partition) {
	p.Error = shorten(p.Error)
	if o := p.OldestUnsettled; o != nil {
		record := *o
		record.LastError = shorten(record.LastError)
		p.OldestUnsettled = &record
	}
}

func shorten(text string) string {
	if len(text) <= troubleText {
		return text
	}
	end := troubleText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
