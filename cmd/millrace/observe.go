package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/millrace-dev/millrace/worker/telemetry"
)

// snapshot is what all workers of a run say together.
type snapshot struct {
	totals telemetry.Totals
	rates  telemetry.Rates
	lag    int64
	// watermarks are the highest said so far by partition: a partition that
	// moves between members stays settled as far as it was.
	watermarks map[int32]int64
	// positions are the next offsets to dispatch of the partitions that are
	// owned and running.
	positions map[int32]int64
}

// observer asks the workers how far they are.
type observer struct {
	urls       []string
	client     http.Client
	last       []telemetry.Status // of each worker, what it said last
	watermarks map[int32]int64
}

func newObserver(urls []string) *observer {
	return &observer{
		urls:       urls,
		client:     http.Client{Timeout: 2 * time.Second},
		last:       make([]telemetry.Status, len(urls)),
		watermarks: map[int32]int64{},
	}
}

// look asks every worker. One that gives no answer, because it has not begun
// to listen or has ended, counts with its last.
func (o *observer) look(ctx context.Context) snapshot {
	s := snapshot{watermarks: o.watermarks, positions: map[int32]int64{}}
	for i, url := range o.urls {
		if status, err := o.ask(ctx, url); err == nil {
			o.last[i] = status
		}
		s.add(&o.last[i])
	}
	return s
}

func (o *observer) ask(ctx context.Context, url string) (status telemetry.Status, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return status, err
	}
	response, err := o.client.Do(request)
	if err != nil {
		return status, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return status, fmt.Errorf("%s: %s", url, response.Status)
	}
	return status, json.NewDecoder(response.Body).Decode(&status)
}

func (s *snapshot) add(status *telemetry.Status) {
	t := &status.Totals
	s.totals.RecordsIn += t.RecordsIn
	s.totals.RecordsOut += t.RecordsOut
	s.totals.RecordsFiltered += t.RecordsFiltered
	s.totals.RecordsDeadLettered += t.RecordsDeadLettered
	s.totals.RecordsDropped += t.RecordsDropped
	s.totals.AttemptsFailed += t.AttemptsFailed
	s.rates.RecordsSettled += status.Rates.RecordsSettled
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
