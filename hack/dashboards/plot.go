package main

import (
	"fmt"
	"strings"
	"time"
)

// plot draws lines over time, with axes and a legend.
func (f frame) plot(p panel, lines []namedLine, over span) {
	unit := p.FieldConfig.Defaults.Unit
	end, step := steps(highest(lines), unit)
	legend := f.legend(lines)
	area := frame{f.canvas, f.x + 66, f.y + titleBand + 4, f.w - 66 - 2*inset, f.h - titleBand - 4 - 18 - 6 - float64(len(legend))*legendLine}
	area.yAxis(end, step, unit)
	area.xAxis(over)
	for i, l := range lines {
		area.line(l.points, over, end, colors[i%len(colors)])
	}
	f.writeLegend(legend)
}

func highest(lines []namedLine) (top float64) {
	for _, l := range lines {
		for _, p := range l.points {
			top = max(top, p.value)
		}
	}
	return top
}

func (f frame) yAxis(end, step float64, unit string) {
	for i := 0; float64(i)*step <= end*1.001; i++ {
		value := float64(i) * step
		y := f.y + f.h*(1-value/end)
		f.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, f.x, f.x+f.w, y, y)
		f.text(f.x-6, y+4, "tick", "end", format(value, unit), 64)
	}
}

// xAxis counts the time since the records began to flow.
func (f frame) xAxis(over span) {
	length := over.end.Sub(over.begin)
	unit := time.Minute
	if length < 2*time.Minute {
		unit = 20 * time.Second
	}
	for at := time.Duration(0); at <= length; at += unit {
		x := f.x + f.w*float64(at)/float64(length)
		f.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, f.y, f.y+f.h)
		f.text(x, f.y+f.h+15, "tick", "middle", fmt.Sprintf("%d:%02d", int(at.Minutes()), int(at.Seconds())%60), 40)
	}
}

// gapLength is the time without a sample that interrupts a line.
const gapLength = 3 * scrapeInterval

func (f frame) line(points []point, over span, top float64, color string) {
	var path strings.Builder
	var before time.Time
	for _, p := range points {
		command := "L"
		if p.at.Sub(before) > gapLength {
			command = "M"
		}
		before = p.at
		x := f.x + f.w*float64(p.at.Sub(over.begin))/float64(over.end.Sub(over.begin))
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x, f.y+f.h*(1-p.value/top))
	}
	f.add(`<path class="line" stroke="%s" d="%s"/>`, color, path.String())
}

// legendEntry is a name in the legend. The last one may stand for lines without a name.
type legendEntry struct{ color, name string }

// legendLines is the largest number of lines of a legend.
const legendLines = 3

// legend divides the names into lines.
func (f frame) legend(lines []namedLine) (rows [][]legendEntry) {
	var row []legendEntry
	used := 0.0
	for i, l := range lines {
		width := float64(len([]rune(l.name)))*letter + 28
		if row != nil && used+width > f.w-2*inset {
			rows, row, used = append(rows, row), nil, 0
		}
		if len(rows) == legendLines {
			last := rows[legendLines-1]
			last[len(last)-1] = legendEntry{name: fmt.Sprintf("and %d more", len(lines)-i+1)}
			return rows
		}
		row = append(row, legendEntry{colors[i%len(colors)], l.name})
		used += width
	}
	return append(rows, row)
}

func (f frame) writeLegend(rows [][]legendEntry) {
	y := f.y + f.h - 8 - float64(len(rows)-1)*legendLine
	for _, row := range rows {
		x := f.x + inset
		for _, e := range row {
			if e.color != "" {
				f.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>`, x, x+12, y-4, y-4, e.color)
			}
			f.text(x+16, y, "small", "start", e.name, f.w-2*inset-16)
			x += float64(len([]rune(e.name)))*letter + 28
		}
		y += legendLine
	}
}
