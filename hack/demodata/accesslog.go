package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	accessLines = 125_000
	// malformedLines is 0.3% of the lines.
	malformedLines = accessLines * 3 / 1000
	accessSeed     = 20260314
)

// day is the day that the log covers.
var day = time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC)

// entry is one line of the access log.
type entry struct {
	Time       string  `json:"time"`
	RequestID  string  `json:"request_id"`
	Client     string  `json:"client"`
	Method     string  `json:"method"`
	Path       string  `json:"path"`
	Status     int     `json:"status"`
	Bytes      int     `json:"bytes"`
	DurationMS float64 `json:"duration_ms"`
	Referer    string  `json:"referer,omitempty"`
	UserAgent  string  `json:"user_agent"`
}

func writeAccessLog(w io.Writer) error {
	rng := rand.New(rand.NewPCG(accessSeed, 1))
	site := newSite(rng)
	broken := pickLines(rng, malformedLines, accessLines)
	out := bufio.NewWriter(w)
	for i, at := range requestTimes(rng, accessLines) {
		line, err := json.Marshal(site.request(rng, at))
		if err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
		if broken[i] {
			line = breakLine(rng, line)
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// pickLines chooses n of total line numbers.
func pickLines(rng *rand.Rand, n, total int) map[int]bool {
	picked := make(map[int]bool, n)
	for len(picked) < n {
		picked[rng.IntN(total)] = true
	}
	return picked
}

// requestTimes distributes n requests over the day: few before dawn, most at noon and in the
// evening.
func requestTimes(rng *rand.Rand, n int) []time.Time {
	const minutes = 24 * 60
	var cumulative [minutes + 1]float64
	for m := range minutes {
		cumulative[m+1] = cumulative[m] + load(float64(m)/60)
	}
	times := make([]time.Time, n)
	for i := range times {
		at := rng.Float64() * cumulative[minutes]
		m, _ := slices.BinarySearch(cumulative[:], at)
		within := time.Duration(rng.Float64() * float64(time.Minute))
		times[i] = day.Add(time.Duration(m-1)*time.Minute + within)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// load returns the relative number of requests at an hour of the day.
func load(hour float64) float64 {
	peak := func(at, width float64) float64 {
		return math.Exp(-math.Pow((hour-at)/width, 2))
	}
	return 0.12 + 0.8*peak(12.5, 3) + 1.0*peak(20, 2.5)
}
