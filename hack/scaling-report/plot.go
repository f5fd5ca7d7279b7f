package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling/simulate"
)

// buckets is the number of points of a line.
const buckets = 600

// plot is one diagram of the template. Its places are in percent of its width and height,
// from the left and from the top, so that it fits any screen.
type plot struct {
	Title          string
	Lines          []line
	XTicks, YTicks []tick
	Marks          []mark
	Outages        []span
}

type line struct{ Name, Class, Points string }

type tick struct {
	At   float64
	Text string
	// Minor ticks have no text on a narrow screen.
	Minor bool
}

// mark is a decision that changed the number of pods.
type mark struct {
	X     float64
	Row   int // of its text, from 0 at the top
	Class string
	// End is set where the text stands to the left of X.
	End    bool
	Number int
	Reason string // "" among many marks
	Title  string
}

type span struct{ X, Width float64 }

// series is one line before it is scaled. pick joins the points of a bucket.
type series struct {
	name, class string
	value       func(simulate.Point) float64
	pick        func([]float64) float64
}

func plots(run *simulate.Run) []plot {
	s := run.Scenario
	replicas := draw(run, "pods", []series{
		{"cap", "cap", func(simulate.Point) float64 { return float64(min(s.Policy.Max, int32(s.Partitions))) }, last},
		{"oracle", "oracle", func(p simulate.Point) float64 { return float64(p.Oracle) }, last},
		{"pods asked for", "own", func(p simulate.Point) float64 { return float64(p.Replicas) }, last},
	})
	replicas.Marks = marks(run)
	return []plot{
		draw(run, "records per second", []series{
			{"ready pods can process", "capacity", func(p simulate.Point) float64 { return p.Capacity }, last},
			{"arrive", "arrived", func(p simulate.Point) float64 { return p.Arrived }, mean},
			{"processed", "own", func(p simulate.Point) float64 { return p.Processed }, mean},
		}),
		draw(run, "seconds that the oldest record waits, stuck partitions aside", []series{
			{"target", "cap", func(simulate.Point) float64 { return s.Policy.TargetLag.Seconds() }, last},
			{"waits", "own", func(p simulate.Point) float64 { return p.Waited }, highest},
		}),
		replicas,
	}
}

func draw(run *simulate.Run, title string, all []series) plot {
	top := 0.0
	values := make([][]float64, len(all))
	for i, s := range all {
		values[i] = s.sampled(run.Points)
		top = max(top, highest(values[i]))
	}
	top, unit := axis(top)
	p := plot{Title: title, XTicks: hours(run.Scenario.Length), Outages: outages(run)}
	for y := 0.0; y <= top; y += unit {
		p.YTicks = append(p.YTicks, tick{At: vertical(y, top), Text: fmt.Sprintf("%g", y)})
	}
	for i, s := range all {
		p.Lines = append(p.Lines, line{s.name, s.class, points(values[i], top)})
	}
	return p
}

func (s series) sampled(all []simulate.Point) []float64 {
	size := max(1, len(all)/buckets)
	var out []float64
	for len(all) > 0 {
		n := min(size, len(all))
		bucket := make([]float64, n)
		for i, p := range all[:n] {
			bucket[i] = s.value(p)
		}
		out = append(out, s.pick(bucket))
		all = all[n:]
	}
	return out
}

// points returns the points of a line in the format of an SVG polyline.
func points(values []float64, top float64) string {
	var b strings.Builder
	for i, v := range values {
		x := 100 * float64(i) / float64(max(1, len(values)-1))
		fmt.Fprintf(&b, "%.2f,%.2f ", x, vertical(v, top))
	}
	return b.String()
}

func vertical(value, top float64) float64 { return 100 * (1 - value/top) }

func horizontal(at, length time.Duration) float64 {
	return 100 * float64(at) / float64(length)
}

// axis returns the end of an axis, and the distance between its ticks.
func axis(top float64) (end, unit float64) {
	top = max(top, 1)
	unit = math.Pow(10, math.Floor(math.Log10(top)))
	switch {
	case top/unit < 2:
		unit /= 2
	case top/unit > 5:
		unit *= 2
	}
	unit = max(unit, 1)
	return unit * math.Ceil(top/unit*1.02), unit
}

// hours returns the ticks of time.
func hours(length time.Duration) []tick {
	unit := 20 * time.Minute
	for length/unit > 12 {
		unit *= 3
	}
	var ticks []tick
	for at := time.Duration(0); at <= length; at += unit {
		ticks = append(ticks, tick{horizontal(at, length), fmt.Sprintf("%d:%02d", int(at.Hours()), int(at.Minutes())%60), len(ticks)%3 > 0})
	}
	return ticks
}

func outages(run *simulate.Run) []span {
	var spans []span
	length := len(run.Points)
	width := 100 / float64(length)
	for i, p := range run.Points {
		switch {
		case !p.Outage:
		case i > 0 && run.Points[i-1].Outage:
			spans[len(spans)-1].Width += width
		default:
			spans = append(spans, span{width * float64(i), width})
		}
	}
	return spans
}

// markRows is the number of rows of the marks, so that their texts don't overlap. If there are
// no more marks than rows, each shows its reason.
const markRows = 8

func marks(run *simulate.Run) []mark {
	var list []mark
	for i, a := range run.Changes() {
		class := "up"
		if a.To < a.From {
			class = "down"
		}
		m := mark{
			X: horizontal(a.At, run.Scenario.Length), Row: i % markRows, Class: class, Number: i + 1,
			Title: fmt.Sprintf("%s: %d to %d, %s: %s", clock(a.At), a.From, a.To, a.Reason, a.Message),
		}
		if len(run.Changes()) <= markRows {
			m.Reason = string(a.Reason)
		}
		m.End = m.X > 85
		list = append(list, m)
	}
	return list
}

func last(values []float64) float64 { return values[len(values)-1] }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func highest(values []float64) float64 {
	top := values[0]
	for _, v := range values {
		top = max(top, v)
	}
	return top
}
