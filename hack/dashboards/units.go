package main

import (
	"fmt"
	"math"
	"strconv"
)

// scale is how the values of a unit are written: in steps of names, each times larger than
// the one before.
type scale struct {
	factor float64 // from the metric's unit to that of the first name
	times  float64
	names  []string
}

var scales = map[string]scale{
	"short":       {1, 1000, []string{"", " K", " Mil", " Bil"}},
	"none":        {1, 1000, []string{"", " K"}},
	"cps":         {1, 1000, []string{" c/s", "K c/s", "M c/s"}},
	"Bps":         {1, 1000, []string{" B/s", " kB/s", " MB/s", " GB/s"}},
	"bytes":       {1, 1024, []string{" B", " KiB", " MiB", " GiB"}},
	"percentunit": {100, math.Inf(1), []string{"%"}},
}

// format writes a value in Grafana's words for a unit.
func format(value float64, unit string) string {
	if unit == "s" {
		return seconds(value)
	}
	s, known := scales[unit]
	if !known {
		return short(value)
	}
	value *= s.factor
	name := 0
	for math.Abs(value) >= s.times && name < len(s.names)-1 {
		value /= s.times
		name++
	}
	return short(value) + s.names[name]
}

func seconds(value float64) string {
	switch size := math.Abs(value); {
	case size == 0:
		return "0 s"
	case size < 1e-3:
		return short(value*1e6) + " µs"
	case size < 1:
		return short(value*1e3) + " ms"
	case size < 120:
		return short(value) + " s"
	default:
		return short(value/60) + " min"
	}
}

// short writes three digits.
func short(value float64) string {
	text := fmt.Sprintf("%.3g", value)
	if parsed, err := strconv.ParseFloat(text, 64); err == nil {
		return strconv.FormatFloat(parsed, 'f', -1, 64)
	}
	return text
}

// steps returns the end of an axis from 0, and the distance between its ticks: 1, 2 or 5
// times a power of ten, or a power of two for bytes.
func steps(top float64, unit string) (end, step float64) {
	const most = 4 // ticks above 0
	if top <= 0 {
		return 1, 1
	}
	base := 10.0
	multiples := []float64{1, 2, 5}
	if unit == "bytes" {
		base, multiples = 2, []float64{1}
	}
	for power := math.Floor(math.Log(top/most) / math.Log(base)); ; power++ {
		for _, multiple := range multiples {
			step = multiple * math.Pow(base, power)
			if count := math.Ceil(top / step); count <= most {
				return count * step, step
			}
		}
	}
}
