package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

func TestPrefixerPassesWholeLines(t *testing.T) {
	var out bytes.Buffer
	p := &prefixer{prefix: "[worker 1] ", out: &out}
	for _, part := range []string{"fir", "st\nsecond\nth", "ird"} {
		if _, err := p.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	p.flush()
	if want := "[worker 1] first\n[worker 1] second\n[worker 1] third\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestPrefixerBoundsALineThatDoesNotEnd(t *testing.T) {
	p := &prefixer{out: &bytes.Buffer{}}
	for range 200 {
		if _, err := p.Write(bytes.Repeat([]byte("x"), 1000)); err != nil {
			t.Fatal(err)
		}
		if len(p.partial) >= longestLine {
			t.Fatalf("%d bytes wait for the end of a line", len(p.partial))
		}
	}
}

func TestPrefixerKeepsTheLastLines(t *testing.T) {
	p := &prefixer{out: &bytes.Buffer{}}
	for range 10 {
		p.pass("early")
	}
	p.pass("error: the topic does not exist")
	if got := p.tail(); strings.Count(got, "early") != tailLines-1 || !strings.HasSuffix(got, "error: the topic does not exist") {
		t.Errorf("tail is %q", got)
	}
}

func TestScreenWritesProgressOnlyNowAndThenOffATerminal(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	s.Progress("soon")
	s.written = time.Now().Add(-2 * lineInterval)
	s.Progress("later")
	s.Progress("at once")
	s.Say("a %s", "word")
	s.Clear()
	if want := "later\na word\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestSpeedometer(t *testing.T) {
	start := time.Unix(0, 0)
	m := speedometer{since: start}
	for _, c := range []struct {
		after time.Duration
		count int64
		want  float64
	}{
		{500 * time.Millisecond, 50, 100},
		{time.Second, 200, 200},
		{1500 * time.Millisecond, 1000, 200},
		{2 * time.Second, 500, 300},
	} {
		if got := m.read(start.Add(c.after), c.count); got != c.want {
			t.Errorf("after %s: %v, want %v", c.after, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	s := newSummary(workerstatus.Totals{RecordsIn: 125_000, RecordsSettled: 125_000, RecordsOut: 15_409, RecordsFiltered: 109_216, RecordsDeadLettered: 375, AttemptsFailed: 375}, 2500*time.Millisecond)
	if s.RecordsPerSecond != 50_000 || s.Seconds != 2.5 {
		t.Errorf("%v records/s in %v s", s.RecordsPerSecond, s.Seconds)
	}
	table := s.table(places{input: "in", output: "out", outputFile: "f.jsonl", deadLetters: "dlq", deadLetterFile: "d.jsonl"})
	for _, want := range []string{"125,000  from topic in, 50,000 records/s", "15,409  to topic out, collected in f.jsonl", "109,216", "375  to topic dlq, collected in d.jsonl"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	// A wrong name of a topic in a program must not look like the right one.
	named := s.table(places{input: "in", output: "out", outputFile: "f.jsonl", named: []string{"otu", "zeta"}})
	if want := "15,409  to the topics out, otu, zeta; those in out are collected in f.jsonl"; !strings.Contains(named, want) {
		t.Errorf("no %q in\n%s", want, named)
	}
	half := newSummary(workerstatus.Totals{RecordsIn: 125_000, RecordsSettled: 62_500}, 2500*time.Millisecond)
	if table := half.table(places{input: "in"}); !strings.Contains(table, "125,000  from topic in, 62,500 of them settled, 25,000 records/s") {
		t.Errorf("the rate counts records that are not settled:\n%s", table)
	}
	if strings.Contains(table, "dropped") {
		t.Errorf("the table has a row for dropped records, though none were dropped:\n%s", table)
	}
}

func TestReached(t *testing.T) {
	want := map[int32]int64{0: 5, 3: 1}
	for _, c := range []struct {
		at   map[int32]int64
		want bool
	}{
		{map[int32]int64{0: 5, 3: 1}, true},
		{map[int32]int64{0: 9, 3: 9, 4: 0}, true},
		{map[int32]int64{0: 4, 3: 1}, false},
		{map[int32]int64{0: 5}, false},
		{nil, false},
	} {
		if got := reached(c.at, want); got != c.want {
			t.Errorf("reached(%v) = %t", c.at, got)
		}
	}
	if !reached(nil, map[int32]int64{}) {
		t.Error("reached with an empty target = false")
	}
}
