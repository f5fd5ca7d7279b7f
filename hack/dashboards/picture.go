package main

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// The measures of a picture, in pixels. Letters are about letter wide.
const (
	column     = 42 // a unit of Grafana's grid
	line       = 26
	gap        = 8
	inset      = 10
	heading    = 40 // the dashboard's title
	titleBand  = 26 // a panel's title
	legendLine = 16
	letter     = 6.2
)

var colors = []string{"#2f7d32", "#c77700", "#1f60c4", "#c4162a", "#8f3bb8", "#00807a", "#705c00", "#a0527a"}

// style is the look of Grafana's light theme.
const style = `text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#24292e}` +
	`.h{font-size:18px}.row{font-size:14px;font-weight:600}.title{font-weight:600}.small,.tick{font-size:11px;fill:#565f6a}` +
	`.panel{fill:#fff;stroke:#dfe3e8}.grid{stroke:#e9ecef}.line{fill:none;stroke-width:1.5;stroke-linejoin:round}`

// canvas is a picture while it is painted.
type canvas struct{ strings.Builder }

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.Builder, format+"\n", args...) }

// text adds a text, shortened to a width.
func (c *canvas) text(x, y float64, class, anchor, text string, width float64) {
	c.add(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, escaped(shortened(text, width)))
}

func shortened(text string, width float64) string {
	runes := []rune(text)
	if most := max(3, int(width/letter)); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder has no errors
	return b.String()
}

// paint returns the picture of a dashboard as SVG.
func paint(d *dashboard, answers map[string][]series, over span) []byte {
	height := 0
	for _, p := range d.Panels {
		height = max(height, p.GridPos.Y+p.GridPos.H)
	}
	c := &canvas{}
	w, h := 24*column+gap, heading+height*line+gap
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, w, h, w, h)
	c.add(`<title>%s</title><style>%s</style><rect width="%d" height="%d" fill="#f4f5f7"/>`, escaped(d.Title), style, w, h)
	c.text(gap, 26, "h", "start", d.Title, float64(w))
	for _, p := range d.Panels {
		g := p.GridPos
		f := frame{canvas: c, x: float64(g.X*column + gap), y: float64(heading + g.Y*line), w: float64(g.W*column - gap), h: float64(g.H*line - gap)}
		f.panel(p, answers, over)
	}
	c.add(`</svg>`)
	return []byte(c.String())
}

// frame is the place of a panel.
type frame struct {
	*canvas
	x, y, w, h float64
}

func (f frame) panel(p panel, answers map[string][]series, over span) {
	if p.Type == "row" {
		f.text(f.x, f.y+16, "row", "start", p.Title, f.w)
		return
	}
	f.add(`<rect class="panel" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, f.x, f.y, f.w, f.h)
	f.text(f.x+inset, f.y+18, "title", "start", p.Title, f.w-2*inset)
	named := namedSeries(p, answers)
	switch {
	case len(named) == 0:
		f.text(f.x+f.w/2, f.y+f.h/2, "small", "middle", "No data", f.w)
	case p.Type == "table":
		f.table(named)
	default:
		f.plot(p, named, over)
	}
}

// namedLine is a series with its name in the legend.
type namedLine struct {
	name string
	series
}

// namedSeries returns the series of a panel's queries, each query's by name.
func namedSeries(p panel, answers map[string][]series) (all []namedLine) {
	for _, t := range p.Targets {
		var of []namedLine
		for _, s := range answers[t.Expr] {
			of = append(of, namedLine{t.name(s), s})
		}
		slices.SortFunc(of, func(a, b namedLine) int { return strings.Compare(a.name, b.name) })
		all = append(all, of...)
	}
	return all
}

// columns is the order of a table's labels, as far as it has them.
var columns = []string{"namespace", "name", "type", "reason"}

// table writes a row for each series, with its labels.
func (f frame) table(rows []namedLine) {
	var labels []string
	for _, label := range columns {
		if _, has := rows[0].labels[label]; has {
			labels = append(labels, label)
		}
	}
	slices.SortFunc(rows, func(a, b namedLine) int {
		return slices.Compare(valuesOf(a, labels), valuesOf(b, labels))
	})
	y := f.y + titleBand + 14
	at := f.columns(rows, labels)
	for i, label := range labels {
		f.text(at[i], y, "small", "start", label, f.w)
	}
	for _, row := range rows {
		if y += 20; y > f.y+f.h-4 {
			return
		}
		f.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.x+inset, f.x+f.w-inset, y-14, y-14)
		for i, value := range valuesOf(row, labels) {
			f.text(at[i], y, "", "start", value, at[i+1]-at[i])
		}
	}
}

// columns returns where the columns of a table begin, and where the last one ends. Each is
// as wide as its longest text; they share the rest of the width.
func (f frame) columns(rows []namedLine, labels []string) []float64 {
	widths := make([]float64, len(labels))
	left := f.w - 2*inset
	for i, label := range labels {
		longest := len(label)
		for _, row := range rows {
			longest = max(longest, len(row.labels[label]))
		}
		widths[i] = float64(longest+1) * letter * 1.1
		left -= widths[i]
	}
	at := []float64{f.x + inset}
	for i, width := range widths {
		at = append(at, at[i]+width+max(0, left)/float64(len(widths)))
	}
	return at
}

func valuesOf(row namedLine, labels []string) (values []string) {
	for _, label := range labels {
		values = append(values, row.labels[label])
	}
	return values
}
