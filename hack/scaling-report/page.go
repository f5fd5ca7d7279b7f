package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling/simulate"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// section is the part of the page about one run.
type section struct {
	ID, Name, About   string
	Own, Oracle, Cost string
	Behind            string
	Turns, Raises     int
	Expect            simulate.Expect
	Most              int32
	Plots             []plot
	Acts              []act
}

// act is a row of the table of decisions. Number is 0 for a decision without a change.
type act struct {
	Number                   int
	At, Pods, Reason, Detail string
}

func page(runs []*simulate.Run) ([]byte, error) {
	var sections []section
	for _, run := range runs {
		sections = append(sections, newSection(run))
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, sections)
	return out.Bytes(), err
}

func newSection(run *simulate.Run) section {
	own, oracle := run.ReplicaHours()
	s := run.Scenario
	return section{
		ID: strings.ToLower(strings.ReplaceAll(s.Name, " ", "-")), Name: s.Name, About: s.About,
		Own: fmt.Sprintf("%.1f", own), Oracle: fmt.Sprintf("%.1f", oracle), Cost: fmt.Sprintf("%.2f", own/oracle),
		Behind: run.Behind().String(), Turns: run.Turns(), Raises: run.Raises(), Expect: s.Expect, Most: run.Highest,
		Plots: plots(run), Acts: acts(run),
	}
}

func acts(run *simulate.Run) []act {
	var list []act
	number := 0
	for _, a := range run.Acts {
		if !a.Changed() {
			continue
		}
		number++
		list = append(list, act{
			Number: number, At: clock(a.At), Pods: fmt.Sprintf("%d → %d", a.From, a.To),
			Reason: string(a.Reason), Detail: a.Message,
		})
	}
	return list
}

// clock formats a time of a run as hours, minutes and seconds.
func clock(at time.Duration) string {
	return fmt.Sprintf("%d:%02d:%02d", int(at.Hours()), int(at.Minutes())%60, int(at.Seconds())%60)
}
