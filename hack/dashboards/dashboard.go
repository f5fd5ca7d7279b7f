package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// dashboard is what a Grafana dashboard says about its panels.
type dashboard struct {
	Title      string
	Panels     []panel
	Templating struct{ List []variable }
}

// panel is a row's title, a plot or a table.
type panel struct {
	Type, Title string
	// GridPos is in units of Grafana's grid, which is 24 wide.
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct{ Defaults struct{ Unit string } }
	Targets     []target
}

// target is a query, and what the legend says of its series.
type target struct{ Expr, LegendFormat string }

// variable is one that the user of a dashboard chooses.
type variable struct {
	Name, Type string
	Definition string // such as label_values(metric, label)
}

func readDashboard(path string) (*dashboard, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &dashboard{}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

// quiet are panels that are empty while nothing is wrong.
var quiet = []string{"Lost offsets", "Failed reconciliations"}

// emptyPanels returns the titles of the panels without data, except for quiet ones.
func emptyPanels(d *dashboard, answers map[string][]series) (titles []string) {
	for _, p := range d.Panels {
		if p.Type == "row" || slices.Contains(quiet, p.Title) {
			continue
		}
		if !slices.ContainsFunc(p.Targets, func(t target) bool { return len(answers[t.Expr]) > 0 }) {
			titles = append(titles, p.Title)
		}
	}
	return titles
}

// name returns what the legend says of a series.
func (t target) name(s series) string {
	text := t.LegendFormat
	for label, value := range s.labels {
		text = strings.ReplaceAll(text, "{{"+label+"}}", value)
	}
	return text
}
