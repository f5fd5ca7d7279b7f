package workerstatus

import (
	"fmt"
	"time"
)

// Status is the response of /status. Times are in the format of RFC 3339, durations in
// seconds, sizes in bytes.
type Status struct {
	Name    string `json:"name"`
	Topic   string `json:"topic"`
	GroupID string `json:"groupId"`
	// Partitions is the topic's number of partitions in the cluster's last answer, 0
	// before the first.
	Partitions int32 `json:"partitions"`
	// Error says why the worker can't go on; "" if it can.
	Error string `json:"error,omitempty"`
	// Waiting says why a worker that has just started can't join the group yet, for
	// example that no broker answers; "" once it can.
	Waiting string `json:"waiting,omitempty"`
	// Silent lists the clusters of which no broker has answered for some seconds.
	Silent []Silence `json:"silent,omitempty"`
	// Expressions is nil if the processor's expressions can't change, and for a user's
	// program.
	Expressions *Expressions `json:"expressions,omitempty"`
	// Processes is nil if the worker itself processes the records.
	Processes *Processes `json:"processes,omitempty"`
	Totals    Totals     `json:"totals"`
	Rates     Rates      `json:"rates"`
	Members   []Member   `json:"members"`
}

// Silence says that no broker of a cluster answers.
type Silence struct {
	// Cluster is "input" or "output", "" if both are the same cluster.
	Cluster string    `json:"cluster,omitempty"`
	Since   time.Time `json:"since"`
	// Error is the error of the last request.
	Error string `json:"error"`
}

// String describes the silence in a sentence.
func (s *Silence) String() string {
	cluster := "the cluster"
	if s.Cluster != "" {
		cluster = "the " + s.Cluster + "'s cluster"
	}
	return fmt.Sprintf("%s has not answered for %s: %s", cluster, time.Since(s.Since).Round(time.Second), s.Error)
}

// Totals count from the start of the process. RecordsIn counts a record each time that
// it is read, and not each attempt. RecordsSettled counts those that the worker is done
// with: their results, or their dead letters, are safe, or they are filtered or dropped.
type Totals struct {
	RecordsIn           int64 `json:"recordsIn"`
	RecordsSettled      int64 `json:"recordsSettled"`
	RecordsOut          int64 `json:"recordsOut"`
	RecordsFiltered     int64 `json:"recordsFiltered"`
	RecordsDeadLettered int64 `json:"recordsDeadLettered"`
	RecordsDropped      int64 `json:"recordsDropped"`
	AttemptsFailed      int64 `json:"attemptsFailed"`
	BytesIn             int64 `json:"bytesIn"`
	BytesOut            int64 `json:"bytesOut"`
}

// Rates are per second, averaged over about the last ten seconds.
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
	// Saturation is the share of the pool's goroutines that were busy over about the
	// last ten seconds, from 0 to 1.
	Saturation float64  `json:"saturation"`
	InFlight   InFlight `json:"inFlight"`
	// MemoryBytes is the memory that the input takes: fetched data that waits,
	// unpacked batches, and the buffers that records in flight keep in use.
	MemoryBytes int64 `json:"memoryBytes"`
	// Transaction is nil with delivery AtLeastOnce.
	Transaction *Transaction `json:"transaction,omitempty"`
	Partitions  []Partition  `json:"partitions"`
}

// InFlight counts the records that are dispatched and not settled yet.
type InFlight struct {
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// Partition is one partition that a member owns.
type Partition struct {
	Partition int32 `json:"partition"`
	// State is acquiring (the member looks up where to read), running, paused (a bound
	// is reached), careful (the member looks for a record that crashed the process),
	// halted (Error stops this partition, all others go on), draining or closing.
	State string `json:"state"`
	// All records below Watermark are settled. Committed is the last watermark that
	// the group's coordinator has acknowledged, -1 before the first. Position is the
	// next offset to dispatch.
	Watermark int64 `json:"watermark"`
	Committed int64 `json:"committed"`
	Position  int64 `json:"position"`
	// EndOffset is the end of the records that the isolation level lets the worker
	// read, -1 before the first fetch. Lag counts the offsets from Watermark to the end
	// of the log, including those that open transactions hold back. Held describes such
	// a transaction, once it has held back records for some seconds.
	EndOffset int64    `json:"endOffset"`
	Lag       int64    `json:"lag"`
	Held      string   `json:"held,omitempty"`
	InFlight  InFlight `json:"inFlight"`
	// OldestUnsettled is the record at the watermark, nil if nothing is in flight.
	OldestUnsettled *Unsettled `json:"oldestUnsettled,omitempty"`
	// RecordsPerSecond is the rate of settling over about the last ten seconds.
	RecordsPerSecond float64 `json:"recordsPerSecond"`
	// Error says why the partition is halted, and at which offset, or why it can't be
	// committed, and what to do about it; "" if neither is the case.
	Error string `json:"error,omitempty"`
	// HaltedSince is the time of the halt, nil if the partition is not halted.
	HaltedSince *time.Time `json:"haltedSince,omitempty"`
	// Loss describes the offsets that Kafka lost since the process started, nil if it
	// lost none.
	Loss *Loss `json:"loss,omitempty"`
}

// Unsettled describes the record at a watermark, which can't move before the record is
// settled.
type Unsettled struct {
	Offset     int64     `json:"offset"`
	AgeSeconds float64   `json:"ageSeconds"`
	Since      time.Time `json:"since"`
	// Attempts counts the record's failed attempts. KeyHash is the murmur2 hash of its
	// key in hex, "" for a null key.
	Attempts int    `json:"attempts"`
	KeyHash  string `json:"keyHash,omitempty"`
	// LastError is the error of the last failed attempt, "" if there is none.
	LastError string `json:"lastError,omitempty"`
}
