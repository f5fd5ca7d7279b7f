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

// snapshot is the progress of all workers of a run together.
type snapshot struct {
	totals workerstatus.Totals
	// lag is that of the measured partitions. Of the others, the workers don't know the
	// end yet.
	lag                  int64
	measured, unmeasured int
	// waiting says why a worker can't join the group, "" if all can.
	waiting string
	// joining reports whether all members still wait to join the group, and members
	// holds the ids that the group has given them.
	joining bool
	members map[string]bool
	// retry is the record in retry that has waited the longest, nil if there is none.
	retry *retry
	// watermarks holds each partition's highest watermark so far: when a partition
	// moves between members, its records stay settled.
	watermarks map[int32]int64
	// committed holds each partition's committed offset, where it is known.
	committed map[int32]int64
	// positions holds the next offset to dispatch of each partition that a worker
	// owns and reads.
	positions map[int32]int64
	// halted holds the errors of the halted partitions.
	halted map[int32]string
}

// retry is a record that has failed and is tried again.
type retry struct {
	partition int32
	record    *workerstatus.Unsettled
}

// observer asks the workers for their progress. Only one goroutine may call its
// methods.
type observer struct {
	urls       []string
	client     http.Client
	last       []workerstatus.Status // each worker's last answer
	final      []*finalWord          // each worker's
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

// look asks every worker. If a worker does not answer, because it does not listen yet
// or has ended, its last answer counts.
func (o *observer) look(ctx context.Context) snapshot {
	for i, url := range o.urls {
		if status, err := ask(ctx, &o.client, url); err == nil {
			o.last[i] = status
		}
	}
	return o.snapshot()
}

// lookBack returns the progress of the workers at their ends.
func (o *observer) lookBack() snapshot {
	patience := time.After(finalPatience)
	for i, word := range o.final {
		if !word.asked.Load() {
			continue // the worker has never listened
		}
		select {
		case status, ok := <-word.status:
			// A worker with an older SDK has answered at once, not at its end.
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
	s := snapshot{watermarks: o.watermarks, committed: map[int32]int64{}, positions: map[int32]int64{}, halted: map[int32]string{}, members: map[string]bool{}}
	members, joining := 0, 0
	for i := range o.last {
		s.add(&o.last[i])
		for _, m := range o.last[i].Members {
			members++
			if m.State == "joining" {
				joining++
			}
		}
	}
	s.joining = members > 0 && joining == members
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
	s.totals.RecordsSettled += t.RecordsSettled
	s.totals.RecordsOut += t.RecordsOut
	s.totals.RecordsFiltered += t.RecordsFiltered
	s.totals.RecordsDeadLettered += t.RecordsDeadLettered
	s.totals.RecordsDropped += t.RecordsDropped
	s.totals.AttemptsFailed += t.AttemptsFailed
	for _, member := range status.Members {
		s.members[member.ID] = true
		for i := range member.Partitions {
			s.addPartition(&member.Partitions[i])
		}
	}
}

func (s *snapshot) addPartition(p *workerstatus.Partition) {
	if p.EndOffset < 0 {
		s.unmeasured++
	} else {
		s.measured++
		s.lag += max(p.Lag, 0)
	}
	s.watermarks[p.Partition] = max(s.watermarks[p.Partition], p.Watermark)
	s.committed[p.Partition] = max(s.committed[p.Partition], p.Committed)
	switch p.State {
	case "running":
		s.positions[p.Partition] = p.Position
	case "halted":
		s.halted[p.Partition] = p.Error
	}
	if u := p.OldestUnsettled; u != nil && u.Attempts > 0 && (s.retry == nil || u.AgeSeconds > s.retry.record.AgeSeconds) {
		s.retry = &retry{p.Partition, u}
	}
}

// describeLag returns the lag of the partitions that the workers own: "?" while nothing
// is known, and a lower bound while the lag of some is not.
func (s *snapshot) describeLag() string {
	switch {
	case s.measured == 0:
		return "?"
	case s.unmeasured > 0:
		return grouped(s.lag) + " or more"
	default:
		return grouped(s.lag)
	}
}
