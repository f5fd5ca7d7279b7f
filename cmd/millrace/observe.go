package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// snapshot is what all workers of a run say together.
type snapshot struct {
	totals workerstatus.Totals
	lag    int64
	// waiting is what keeps a worker from joining the group, "" if nothing does.
	waiting string
	// watermarks are the highest said so far by partition: a partition that
	// moves between members stays settled as far as it was.
	watermarks map[int32]int64
	// positions are the next offsets to dispatch of the partitions that are
	// owned and running.
	positions map[int32]int64
}

// observer asks the workers how far they are. Its methods are called from one
// goroutine.
type observer struct {
	urls       []string
	client     http.Client
	last       []workerstatus.Status // of each worker, what it said last
	final      []*finalWord          // of each worker
	watermarks map[int32]int64
}

func newObserver(ctx context.Context, urls []string) *observer {
	o := &observer{
		urls:       urls,
		client:     http.Client{Timeout: 2 * time.Second},
		last:       make([]workerstatus.Status, len(urls)),
		watermarks: map[int32]int64{},
	}
	for _, url := range urls {
		word := &finalWord{status: make(chan workerstatus.Status, 1)}
		o.final = append(o.final, word)
		go word.await(ctx, url)
	}
	return o
}

// look asks every worker. One that gives no answer, because it has not begun
// to listen or has ended, counts with its last.
func (o *observer) look(ctx context.Context) snapshot {
	for i, url := range o.urls {
		if status, err := ask(ctx, &o.client, url); err == nil {
			o.last[i] = status
		}
	}
	return o.snapshot()
}

// lookBack tells how far the workers were when they ended.
func (o *observer) lookBack() snapshot {
	patience := time.After(finalPatience)
	for i, word := range o.final {
		if !word.asked.Load() {
			continue // it has never listened
		}
		select {
		case status, ok := <-word.status:
			// One that is built on an older SDK answers at once.
			if ok && status.Totals.RecordsIn >= o.last[i].Totals.RecordsIn {
				o.last[i] = status
			}
		case <-patience:
			return o.snapshot()
		}
	}
	return o.snapshot()
}

func (o *observer) snapshot() snapshot {
	s := snapshot{watermarks: o.watermarks, positions: map[int32]int64{}}
	for i := range o.last {
		s.add(&o.last[i])
	}
	return s
}

func ask(ctx context.Context, client *http.Client, url string) (status workerstatus.Status, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return status, err
	}
	response, err := client.Do(request)
	if err != nil {
		return status, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return status, fmt.Errorf("%s: %s", url, response.Status)
	}
	return status, json.NewDecoder(response.Body).Decode(&status)
}

func (s *snapshot) add(status *workerstatus.Status) {
	s.waiting = cmp.Or(s.waiting, status.Waiting)
	t := &status.Totals
	s.totals.RecordsIn += t.RecordsIn
	s.totals.RecordsOut += t.RecordsOut
	s.totals.RecordsFiltered += t.RecordsFiltered
	s.totals.RecordsDeadLettered += t.RecordsDeadLettered
	s.totals.RecordsDropped += t.RecordsDropped
	s.totals.AttemptsFailed += t.AttemptsFailed
	for _, member := range status.Members {
		for _, p := range member.Partitions {
			s.lag += max(p.Lag, 0)
			s.watermarks[p.Partition] = max(s.watermarks[p.Partition], p.Watermark)
			if p.State == "running" {
				s.positions[p.Partition] = p.Position
			}
		}
	}
}
