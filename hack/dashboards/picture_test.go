package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// made returns a series for each query of a dashboard.
func made(d *dashboard, over span, count int) map[string][]series {
	answers := map[string][]series{}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			for i := range count {
				s := series{labels: map[string]string{"name": fmt.Sprintf("<%d>", i), "namespace": "shop", "reason": "Running"}}
				for at := over.begin; at.Before(over.end); at = at.Add(scrapeInterval) {
					s.points = append(s.points, point{at, float64(i) * at.Sub(over.begin).Seconds()})
				}
				answers[t.Expr] = append(answers[t.Expr], s)
			}
		}
	}
	return answers
}

// TestPictures checks that each dashboard can be drawn: the picture is XML, has every panel,
// and nothing is outside of it, whether the panels have many series, one or none.
func TestPictures(t *testing.T) {
	over := span{time.Unix(1_700_000_000, 0), time.Unix(1_700_000_180, 0)}
	for _, p := range pictures {
		d, err := readDashboard(filepath.Join(root, p.dashboard))
		if err != nil {
			t.Fatal(err)
		}
		for _, count := range []int{0, 1, 30} {
			picture := paint(d, made(d, over, count), over)
			wellFormed(t, picture)
			if bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
				t.Errorf("%s with %d series has a number that is none", p.dashboard, count)
			}
			inside(t, picture)
			hasPanels(t, d, picture)
		}
	}
}

// TestPicturesOfTheDocuments checks that the pictures in the documents are of the present
// dashboards: they have every panel.
func TestPicturesOfTheDocuments(t *testing.T) {
	for _, p := range pictures {
		d, err := readDashboard(filepath.Join(root, p.dashboard))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := os.ReadFile(filepath.Join(root, "docs/images", p.picture))
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, picture)
		hasPanels(t, d, picture)
		if shown := strings.Count(string(picture), ">No data<"); shown > len(quiet) {
			t.Errorf("%s: %d panels have no data", p.picture, shown)
		}
	}
}

func wellFormed(t *testing.T, picture []byte) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(picture)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func inside(t *testing.T, picture []byte) {
	t.Helper()
	size := regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`).FindSubmatch(picture)
	for _, found := range regexp.MustCompile(`\b([xy])[12]?="([-\d.]+)"`).FindAllSubmatch(picture, -1) {
		most, _ := strconv.ParseFloat(string(size[map[string]int{"x": 1, "y": 2}[string(found[1])]]), 64)
		if at, err := strconv.ParseFloat(string(found[2]), 64); err != nil || at < 0 || at > most {
			t.Fatalf("%s is outside of the picture", found[0])
		}
	}
}

func hasPanels(t *testing.T, d *dashboard, picture []byte) {
	t.Helper()
	for _, p := range d.Panels {
		if !bytes.Contains(picture, []byte(">"+escaped(p.Title)+"<")) {
			t.Errorf("%s: the picture has no panel %q: run make dashboards", d.Title, p.Title)
		}
	}
}

func TestEmptyPanels(t *testing.T) {
	d := &dashboard{Panels: []panel{
		{Type: "row", Title: "Row"},
		{Type: "timeseries", Title: "Full", Targets: []target{{Expr: "none"}, {Expr: "some"}}},
		{Type: "timeseries", Title: "Empty", Targets: []target{{Expr: "none"}}},
		{Type: "timeseries", Title: quiet[0], Targets: []target{{Expr: "none"}}},
	}}
	if got := emptyPanels(d, map[string][]series{"none": nil, "some": make([]series, 1)}); len(got) != 1 || got[0] != "Empty" {
		t.Errorf("empty are %q", got)
	}
}

// TestAnswers checks the questions to Prometheus, and how its answers are read.
func TestAnswers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path + " " + r.FormValue("query") + r.FormValue("match[]") {
		case `/api/v1/label/job/values up{a="b"}`:
			_, _ = io.WriteString(w, `{"status":"success","data":["x","y"]}`)
		case `/api/v1/query_range rate(a{job=~"(x|y)"}[8s])`:
			_, _ = io.WriteString(w, `{"status":"success","data":{"result":[{"metric":{"pod":"p"},"values":[[1700000000,"1.5"],[1700000002.5,"NaN"]]},{"metric":{},"values":[[1700000000,"NaN"]]}]}}`)
		case `/api/v1/query b`:
			_, _ = io.WriteString(w, `{"status":"success","data":{"result":[{"metric":{},"value":[1700000000,"2"]}]}}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"status":"error","error":"parse error"}`)
		}
	}))
	defer server.Close()
	p := &prometheus{address: strings.TrimPrefix(server.URL, "http://")}
	over := span{time.Unix(1_700_000_000, 0), time.Unix(1_700_000_060, 0)}
	d := &dashboard{Panels: []panel{
		{Type: "timeseries", Title: "A", Targets: []target{{Expr: `rate(a{job=~"$job"}[$__rate_interval])`, LegendFormat: "of {{pod}}"}}},
		{Type: "table", Title: "B", Targets: []target{{Expr: "b"}}},
	}}
	d.Templating.List = []variable{{Name: "datasource", Type: "datasource"}, {Name: "job", Type: "query", Definition: `label_values(up{a="b"}, job)`}}
	got, err := p.answer(t.Context(), d, over)
	if err != nil {
		t.Fatal(err)
	}
	a := got[d.Panels[0].Targets[0].Expr]
	if len(a) != 1 || len(a[0].points) != 1 || a[0].points[0].value != 1.5 || d.Panels[0].Targets[0].name(a[0]) != "of p" {
		t.Errorf("A has %+v", a)
	}
	if b := got["b"]; len(b) != 1 || b[0].points[0].value != 2 {
		t.Errorf("B has %+v", b)
	}
	d.Panels[1].Targets[0].Expr = "b("
	if _, err := p.answer(t.Context(), d, over); err == nil || !strings.Contains(err.Error(), "panel B: b(: 400 Bad Request: parse error") {
		t.Errorf("a wrong query: %v", err)
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		value      float64
		unit, want string
	}{
		{0, "short", "0"},
		{1500, "short", "1.5 K"},
		{0.25, "percentunit", "25%"},
		{2048, "bytes", "2 KiB"},
		{64 << 20, "bytes", "64 MiB"},
		{0, "s", "0 s"},
		{0.0005, "s", "500 µs"},
		{0.25, "s", "250 ms"},
		{30, "s", "30 s"},
		{600, "s", "10 min"},
		{2500, "cps", "2.5K c/s"},
		{3e6, "Bps", "3 MB/s"},
		{1234.5, "unknown", "1230"},
	} {
		if got := format(c.value, c.unit); got != c.want {
			t.Errorf("%v %s is written %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		top       float64
		unit      string
		end, step float64
	}{{0, "short", 1, 1}, {3.2, "short", 4, 1}, {7, "short", 8, 2}, {0.013, "s", 0.015, 0.005}, {100 << 20, "bytes", 128 << 20, 32 << 20}} {
		end, step := steps(c.top, c.unit)
		if diff := (end - c.end) / c.end; diff > 1e-9 || diff < -1e-9 || step < c.step*0.999 || step > c.step*1.001 {
			t.Errorf("an axis to %v %s ends at %v with steps of %v, want %v and %v", c.top, c.unit, end, step, c.end, c.step)
		}
	}
}
