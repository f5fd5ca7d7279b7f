package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	scrapeInterval = 2 * time.Second
	// rateInterval is Grafana's $__rate_interval for this interval of scraping: four of them.
	rateInterval = 4 * scrapeInterval
)

// prometheus asks a running Prometheus.
type prometheus struct{ address string }

// span is a range of time.
type span struct{ begin, end time.Time }

// series is one line of a plot, or one row of a table.
type series struct {
	labels map[string]string
	points []point
}

type point struct {
	at    time.Time
	value float64
}

// answer returns the series of each query of a dashboard, by the query. The variables have
// the value "All".
func (p *prometheus) answer(ctx context.Context, d *dashboard, over span) (map[string][]series, error) {
	replaced, err := p.variables(ctx, d, over)
	if err != nil {
		return nil, err
	}
	answers := map[string][]series{}
	for _, panel := range d.Panels {
		for _, t := range panel.Targets {
			ask := p.overTime
			if panel.Type == "table" {
				ask = p.atTheEnd
			}
			found, err := ask(ctx, replaced.Replace(t.Expr), over)
			if err != nil {
				return nil, fmt.Errorf("panel %s: %s: %w", panel.Title, t.Expr, err)
			}
			answers[t.Expr] = found
		}
	}
	return answers, nil
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// variables returns what puts values in the place of variables. As in Grafana, "All" is a
// pattern of all values, and a variable may use those above it.
func (p *prometheus) variables(ctx context.Context, d *dashboard, over span) (*strings.Replacer, error) {
	pairs := []string{
		"$__rate_interval", fmt.Sprintf("%.0fs", rateInterval.Seconds()),
		"$__range", fmt.Sprintf("%.0fs", over.end.Sub(over.begin).Seconds()),
	}
	for _, v := range d.Templating.List {
		if v.Type == "datasource" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Definition)
		if parts == nil {
			return nil, fmt.Errorf("variable %s: %s is no query for label_values", v.Name, v.Definition)
		}
		var values []string
		selector := strings.NewReplacer(pairs...).Replace(parts[1])
		if err := p.get(ctx, "label/"+parts[2]+"/values", url.Values{"match[]": {selector}}, &values); err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("variable %s: %s has no value", v.Name, v.Definition)
		}
		pairs = append(pairs, "$"+v.Name, "("+strings.Join(values, "|")+")")
	}
	return strings.NewReplacer(pairs...), nil
}

func (p *prometheus) overTime(ctx context.Context, query string, over span) ([]series, error) {
	var result matrix
	err := p.get(ctx, "query_range", url.Values{
		"query": {query}, "step": {scrapeInterval.String()},
		"start": {over.begin.Format(time.RFC3339)}, "end": {over.end.Format(time.RFC3339)},
	}, &result)
	return result.series(), err
}

func (p *prometheus) atTheEnd(ctx context.Context, query string, over span) ([]series, error) {
	var result matrix
	err := p.get(ctx, "query", url.Values{"query": {query}, "time": {over.end.Format(time.RFC3339)}}, &result)
	return result.series(), err
}

// matrix is the result of a query.
type matrix struct {
	Result []struct {
		Metric map[string]string
		Value  sample   // at one time
		Values []sample // over time
	}
}

// sample is a time in seconds, and a number as text.
type sample [2]json.RawMessage

func (m *matrix) series() (all []series) {
	for _, r := range m.Result {
		s := series{labels: r.Metric}
		if r.Value[0] != nil {
			r.Values = append(r.Values, r.Value)
		}
		for _, v := range r.Values {
			if p, ok := v.point(); ok {
				s.points = append(s.points, p)
			}
		}
		if len(s.points) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// point returns false for a value that can't be drawn, such as NaN.
func (s sample) point() (point, bool) {
	seconds, err := strconv.ParseFloat(string(s[0]), 64)
	if err != nil {
		return point{}, false
	}
	value, err := strconv.ParseFloat(strings.Trim(string(s[1]), `"`), 64)
	if err != nil || value-value != 0 {
		return point{}, false
	}
	return point{time.UnixMilli(int64(seconds * 1000)), value}, true
}

// get asks Prometheus' API, and decodes the data of its answer.
func (p *prometheus) get(ctx context.Context, path string, query url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/api/v1/"+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(content, &answer); err != nil {
		return fmt.Errorf("%s: %.200s", response.Status, content)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", response.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}
