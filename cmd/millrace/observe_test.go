package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// fakeWorker serves the first status. It answers requests for the final one with last,
// after end is called.
func fakeWorker(t *testing.T, first, last workerstatus.Status) (url string, asked <-chan struct{}, end func()) {
	t.Helper()
	questions, ended := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := first
		if r.URL.Query().Has("final") {
			questions <- struct{}{}
			<-ended
			answer = last
		}
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, questions, func() { close(ended) }
}

func read(n int64, partitions ...workerstatus.Partition) workerstatus.Status {
	return workerstatus.Status{
		Totals:  workerstatus.Totals{RecordsIn: n},
		Members: []workerstatus.Member{{Partitions: partitions}},
	}
}

func TestObserverAddsWorkersUp(t *testing.T) {
	a, askedA, endA := fakeWorker(t, read(10, workerstatus.Partition{Partition: 0, Watermark: 4, Position: 6, Lag: 3, State: "running"}), read(12))
	b, askedB, endB := fakeWorker(t, read(100, workerstatus.Partition{Partition: 1, Watermark: 9, Position: 9, Lag: 1, State: "draining"}), read(101))
	o := newObserver(testContext(t), []string{a, b, "http://127.0.0.1:1/status"})
	s := o.look(testContext(t))
	<-askedA
	<-askedB
	if s.totals.RecordsIn != 110 || s.lag != 4 || s.watermarks[0] != 4 || s.watermarks[1] != 9 {
		t.Errorf("snapshot %+v", s)
	}
	if len(s.positions) != 1 || s.positions[0] != 6 {
		t.Errorf("positions %v, want only that of the running partition", s.positions)
	}
	endA()
	endB()
	if n := o.lookBack().totals.RecordsIn; n != 113 {
		t.Errorf("at the end %d records, want 113", n)
	}
}

// TestObserverKeepsWatermarks: a partition that has moved stays settled up to its
// former owner's watermark.
func TestObserverKeepsWatermarks(t *testing.T) {
	a, _, end := fakeWorker(t, read(1, workerstatus.Partition{Partition: 0, Watermark: 7}), read(1))
	defer end()
	o := newObserver(testContext(t), []string{a})
	o.watermarks[0] = 8
	if s := o.look(testContext(t)); s.watermarks[0] != 8 {
		t.Errorf("watermark %d, want 8", s.watermarks[0])
	}
}

// TestProgressNamesTheHaltedPartitions: with --until-drained, a run whose partition is
// halted goes on until the user ends it, so the line has to say why.
func TestProgressNamesTheHaltedPartitions(t *testing.T) {
	a, _, end := fakeWorker(t, read(10,
		workerstatus.Partition{Partition: 3, State: "halted", Error: "offset 17:\nthe batch is damaged"},
		workerstatus.Partition{Partition: 1, State: "running"}), read(10))
	defer end()
	s := &session{last: newObserver(testContext(t), []string{a}).look(testContext(t))}
	line := s.progress(time.Now())
	if !strings.Contains(line, "  dead-lettered 0  partition 3 halted  settled ") || !strings.HasSuffix(line, "  partition 3: offset 17: the batch is damaged") {
		t.Errorf("progress: %q", line)
	}
	s.last.halted = map[int32]string{9: "nine", 0: "zero", 4: "", 7: "seven", 30: "thirty"}
	if line := s.progress(time.Now()); !strings.Contains(line, "  partitions 0, 4, 7 and 2 more halted  settled ") || !strings.HasSuffix(line, "  partition 0: zero") {
		t.Errorf("progress: %q", line)
	}
	s.last.halted = nil
	if line := s.progress(time.Now()); strings.Contains(line, "halted") {
		t.Errorf("progress without a halted partition: %q", line)
	}
}

// TestProgressSaysWhyAWorkerWaits: while a worker waits for Kafka, the progress line
// says only that.
func TestProgressSaysWhyAWorkerWaits(t *testing.T) {
	s := &session{last: snapshot{waiting: "no Kafka broker can be reached"}}
	if line := s.progress(time.Now()); !strings.Contains(line, "waiting for Kafka: no Kafka broker can be reached") {
		t.Errorf("progress: %q", line)
	}
	a, _, end := fakeWorker(t, workerstatus.Status{Waiting: "it"}, workerstatus.Status{})
	defer end()
	if s := newObserver(testContext(t), []string{a}).look(testContext(t)); s.waiting != "it" {
		t.Errorf("the worker waits for %q", s.waiting)
	}
}
