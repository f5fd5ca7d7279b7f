package workerstatus

import (
	"fmt"
	"time"
)

// Status is what /status answers, as JSON. Times are RFC 3339, durations are
// seconds, sizes are bytes.
type Status struct {
	Name    string `json:"name"`
	Topic   string `json:"topic"`
	GroupID string `json:"groupId"`
	// Partitions is how many the topic has, as last seen; 0 until the cluster has
	// said it.
	Partitions int32 `json:"partitions"`
	// Error is why the worker can't go on, or "".
	Error string `json:"error,omitempty"`
	// Waiting says why the worker can't join the group yet at its start, for example
	// that no broker answers; "" if nothing keeps it.
	Waiting string `json:"waiting,omitempty"`
	// Silent are the clusters of which no broker has answered for some seconds.
	Silent  []Silence `json:"silent,omitempty"`
	Totals  Totals    `json:"totals"`
	Rates   Rates     `json:"rates"`
	Members []Member  `json:"members"`
}

// Silence is a time in which no broker of a cluster answers.
type Silence struct {
	// Cluster is input or output, "" if results go to the input's cluster.
	Cluster string    `json:"cluster,omitempty"`
	Since   time.Time `json:"since"`
	// Error is that of the last request.
	Error string `json:"error"`
}

// String describes the silence to a person.
func (s *Silence) String() string {
	cluster := "the cluster"
	if s.Cluster != "" {
		cluster = "the " + s.Cluster + "'s cluster"
	}
	return fmt.Sprintf("%s has not answered for %s: %s", cluster, time.Since(s.Since).Round(time.Second), s.Error)
}

// Totals count since the process started. RecordsIn counts each record once
// for each time it was dispatched, however many attempts it took.
type Totals struct {
	RecordsIn           int64 `json:"recordsIn"`
	RecordsOut          int64 `json:"recordsOut"`
	RecordsFiltered     int64 `json:"recordsFiltered"`
	RecordsDeadLettered int64 `json:"recordsDeadLettered"`
	RecordsDropped      int64 `json:"recordsDropped"`
	AttemptsFailed      int64 `json:"attemptsFailed"`
	BytesIn             int64 `json:"bytesIn"`
	BytesOut            int64 `json:"bytesOut"`
}

// Rates are means over the last ten seconds or so, per second.
type Rates struct {
	RecordsIn      float64 `json:"recordsIn"`
	RecordsSettled float64 `json:"recordsSettled"`
	RecordsOut     float64 `json:"recordsOut"`
}

// Member is one member of the consumer group; a process runs one or more.
type Member struct {
	ID         string `json:"id"`
	Generation int32  `json:"generation"`
	// State is joining, running, draining or left.
	State string `json:"state"`
	// Saturation is the share of the pool's goroutines that were busy, 0 to
	// 1, over the last ten seconds or so.
	Saturation float64  `json:"saturation"`
	InFlight   InFlight `json:"inFlight"`
	// MemoryBytes is what the input takes: what was fetched and waits, what is
	// unpacked, and the buffers that records in flight keep in use.
	MemoryBytes int64       `json:"memoryBytes"`
	Partitions  []Partition `json:"partitions"`
}

// InFlight is what has been dispatched and is not settled.
type InFlight struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// Partition is one partition that a member owns.
type Partition struct {
	Partition int32 `json:"partition"`
	// State is running, paused (a bound is reached), careful (looking for a
	// record that crashed the process), halted (not read on because of Error,
	// while all other partitions go on), draining or closing; acquiring until
	// its committed offset is known.
	State string `json:"state"`
	// Watermark is the offset below which every record is settled, Committed
	// the last one the group's coordinator has acknowledged (-1: none yet),
	// Position the next offset to dispatch.
	Watermark int64 `json:"watermark"`
	Committed int64 `json:"committed"`
	Position  int64 `json:"position"`
	// EndOffset is the end of what may be read (the last stable offset under
	// ReadCommitted), -1 until the first fetch. Lag is from Watermark to the end
	// of the log, what open transactions hold back included; Held says that they
	// do, if they have for some seconds.
	EndOffset int64    `json:"endOffset"`
	Lag       int64    `json:"lag"`
	Held      string   `json:"held,omitempty"`
	InFlight  InFlight `json:"inFlight"`
	// OldestUnsettled is the record that holds the watermark, nil if nothing
	// is in flight.
	OldestUnsettled *Unsettled `json:"oldestUnsettled,omitempty"`
	// RecordsPerSecond is the rate of settling over the last ten seconds.
	RecordsPerSecond float64 `json:"recordsPerSecond"`
	// Error says why the partition is halted, at which offset, or why it can't
	// be committed, and what to do about it; "" if neither is the case.
	Error string `json:"error,omitempty"`
	// HaltedSince is when it was halted for that reason, nil if it is not halted.
	HaltedSince *time.Time `json:"haltedSince,omitempty"`
	// Loss describes offsets that Kafka lost, nil if none were lost since the
	// process started.
	Loss *Loss `json:"loss,omitempty"`
}

// Unsettled names a record that holds a watermark.
type Unsettled struct {
	Offset     int64     `json:"offset"`
	AgeSeconds float64   `json:"ageSeconds"`
	Since      time.Time `json:"since"`
	// Attempts is how often it has been tried, KeyHash the murmur2 hash of
	// its key in hex ("" for a null key).
	Attempts int    `json:"attempts"`
	KeyHash  string `json:"keyHash,omitempty"`
	// LastError is the last failed attempt's error, or "".
	LastError string `json:"lastError,omitempty"`
}
