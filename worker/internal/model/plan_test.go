package model

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// plan is what a seed decides about a schedule.
type plan struct {
	seed       uint64
	version    int // of the cluster's transactions
	brokers    int32
	partitions int32 // of the input
	outputs    int32 // of the output
	records    int   // of each partition of the input
	keys       int
	delivery   config.Delivery
	ordering   config.Ordering
	workers    int
	lossy      int           // one in so many requests is lost, or its answer; 0 is none
	latency    time.Duration // the longest of an answer
	markers    time.Duration // the longest until a transaction is complete
	failing    int           // one in so many records fails at first; 0 is none
	filtered   int           // one in so many records has no result; 0 is none
	double     int           // one in so many records has two results; 0 is none
	events     []event
}

// event is something that befalls a worker.
type event struct {
	at     time.Duration
	what   happening
	worker int
	lasts  time.Duration
}

type happening uint8

const (
	stop   happening = iota // in good order, and start again
	drop                    // cut off for good; another takes its place
	cutOff                  // for some time
	happenings
)

// trouble is how long faults and events befall the workers.
const trouble = 40 * time.Second

func newPlan(seed uint64) *plan {
	r := rand.New(rand.NewPCG(seed, 2))
	p := &plan{
		seed: seed, version: 1 + r.IntN(2), brokers: 1 + r.Int32N(2), partitions: 1 + r.Int32N(4), outputs: 1 + r.Int32N(3),
		records: 10 + r.IntN(100), keys: 1 + r.IntN(8), workers: 1 + r.IntN(3),
		delivery: []config.Delivery{config.AtLeastOnce, config.ExactlyOnce, config.ExactlyOnce}[r.IntN(3)],
		ordering: []config.Ordering{config.Unordered, config.Key, config.Partition}[r.IntN(3)],
		lossy:    []int{0, 20, 100, 400}[r.IntN(4)],
		latency:  []time.Duration{0, 2, 20, 200}[r.IntN(4)] * time.Millisecond,
		markers:  []time.Duration{0, 1, 50, 1000}[r.IntN(4)] * time.Millisecond,
		failing:  []int{0, 0, 10}[r.IntN(3)], filtered: []int{0, 0, 7}[r.IntN(3)], double: []int{0, 0, 5}[r.IntN(3)],
	}
	for range r.IntN(6) {
		p.events = append(p.events, event{
			at: time.Duration(r.Int64N(int64(trouble))), what: happening(r.IntN(int(happenings))), worker: r.IntN(p.workers),
			lasts: time.Duration(r.Int64N(int64([]time.Duration{time.Second, 20 * time.Second}[r.IntN(2)]))),
		})
	}
	return p
}

// cutsOff reports whether a worker is cut off.
func (p *plan) cutsOff() bool {
	return slices.ContainsFunc(p.events, func(e event) bool { return e.what != stop })
}

func (p *plan) String() string {
	return fmt.Sprintf("seed %d: %s version %d, %s, %d brokers, %d partitions of %d records with %d keys to %d, %d workers, "+
		"losing one in %d, latency %v, markers %v, failing one in %d, filtered one in %d, two results one in %d, events %v",
		p.seed, p.delivery, p.version, p.ordering, p.brokers, p.partitions, p.records, p.keys, p.outputs, p.workers,
		p.lossy, p.latency, p.markers, p.failing, p.filtered, p.double, p.events)
}

// config returns the workers' configuration.
func (p *plan) config() config.Config {
	c := config.Config{
		Name:  "model",
		Kafka: config.Kafka{BootstrapServers: []string{"broker-1:9092"}},
		Input: config.Input{
			Topic: "in", GroupID: "group", StartOffset: config.Earliest, IsolationLevel: config.ReadCommitted,
			SessionTimeout: config.Duration{Duration: 6 * time.Second},
		},
		Output:      config.Output{Topic: "out"},
		Ordering:    p.ordering,
		Delivery:    p.delivery,
		Concurrency: 2,
		InFlight:    config.InFlight{Records: 50, Bytes: 1 << 20},
		Failure: config.Failure{
			MaxAttempts: 1000, OnExhausted: config.Halt,
			Backoff: config.Backoff{Initial: config.Duration{Duration: time.Millisecond}, Max: config.Duration{Duration: 5 * time.Millisecond}},
		},
		DrainTimeout: config.Duration{Duration: 10 * time.Second},
	}
	config.Default(&c)
	return c
}
