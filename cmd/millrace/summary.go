package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// summary holds a run's figures, as --summary writes them.
type summary struct {
	RecordsIn           int64   `json:"recordsIn"`
	RecordsSettled      int64   `json:"recordsSettled"`
	RecordsOut          int64   `json:"recordsOut"`
	RecordsFiltered     int64   `json:"recordsFiltered"`
	RecordsDeadLettered int64   `json:"recordsDeadLettered"`
	RecordsDropped      int64   `json:"recordsDropped"`
	AttemptsFailed      int64   `json:"attemptsFailed"`
	Seconds             float64 `json:"seconds"`
	RecordsPerSecond    float64 `json:"recordsPerSecond"`
}

func newSummary(t workerstatus.Totals, took time.Duration) summary {
	s := summary{
		RecordsIn:           t.RecordsIn,
		RecordsSettled:      t.RecordsSettled,
		RecordsOut:          t.RecordsOut,
		RecordsFiltered:     t.RecordsFiltered,
		RecordsDeadLettered: t.RecordsDeadLettered,
		RecordsDropped:      t.RecordsDropped,
		AttemptsFailed:      t.AttemptsFailed,
		Seconds:             took.Seconds(),
	}
	if s.Seconds > 0 {
		s.RecordsPerSecond = float64(s.RecordsSettled) / s.Seconds
	}
	return s
}

// write writes the figures as JSON.
func (s *summary) write(to io.Writer) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	_, err = to.Write(append(content, '\n'))
	return err
}

// places names the source and the targets of a run's records, for the table.
type places struct {
	input, output, outputFile, deadLetters, deadLetterFile string
	named                                                  []string // further topics of results
}

// topicList is a list of topics that several goroutines may use.
type topicList struct {
	mu     sync.Mutex
	topics []string // guarded by mu
}

func (l *topicList) add(topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics = append(l.topics, topic)
}

func (l *topicList) sorted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(slices.Values(l.topics))
}

// written says where results have gone.
func (at *places) written() string {
	to := "to topic " + at.output
	switch {
	case at.output == "":
		to = "to topics that the results name"
	case len(at.named) > 0:
		to = "to the topics " + strings.Join(append([]string{at.output}, at.named...), ", ")
	}
	switch {
	case at.outputFile == "":
		return to
	case len(at.named) > 0:
		return to + "; those in " + at.output + " are collected in " + at.outputFile
	default:
		return to + ", collected in " + at.outputFile
	}
}

// table formats the figures for a person, one a line.
func (s *summary) table(at places) string {
	var out strings.Builder
	row := func(name string, count int64, remark string) {
		out.WriteString(strings.TrimRight(fmt.Sprintf("  %-16s%14s  %s", name, grouped(count), remark), " ") + "\n")
	}
	source := "from topic " + at.input
	if s.RecordsSettled != s.RecordsIn {
		source += fmt.Sprintf(", %s of them settled", grouped(s.RecordsSettled))
	}
	row("read", s.RecordsIn, fmt.Sprintf("%s, %s records/s", source, grouped(int64(s.RecordsPerSecond))))
	row("written", s.RecordsOut, at.written())
	row("filtered", s.RecordsFiltered, "")
	remark := ""
	if at.deadLetters != "" {
		remark = "to topic " + at.deadLetters
	}
	if at.deadLetterFile != "" {
		remark += ", collected in " + at.deadLetterFile
	}
	row("dead-lettered", s.RecordsDeadLettered, remark)
	if s.RecordsDropped > 0 {
		row("dropped", s.RecordsDropped, "")
	}
	row("failed attempts", s.AttemptsFailed, "")
	return out.String()
}

// grouped formats a count like 1,234,567.
func grouped(n int64) string {
	digits := fmt.Sprint(n)
	var out strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			out.WriteByte(',')
		}
		out.WriteRune(d)
	}
	return out.String()
}
