package workertest

import (
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// partition is a partition of some records, from their first offset to the one behind the
// last.
type partition struct {
	topic       string
	id          int32
	first, next int64
}

// partitionsOf returns the partitions of the records, in the order of their first ones.
func partitionsOf(records []worker.Record) (all []partition) {
	index := map[string]int{}
	for _, r := range records {
		name := fmt.Sprintf("%s/%d", r.Topic, r.Partition)
		i, known := index[name]
		if !known {
			i = len(all)
			index[name] = i
			all = append(all, partition{topic: r.Topic, id: r.Partition, first: r.Offset})
		}
		all[i].first, all[i].next = min(all[i].first, r.Offset), max(all[i].next, r.Offset+1)
	}
	return all
}

// assigned tells the PartitionHolder of the records' partitions.
func assigned(code *usercode.Code, records []worker.Record) error {
	if !code.HoldsPartitions() {
		return nil
	}
	for _, p := range partitionsOf(records) {
		if err := code.Assigned(p.topic, p.id, p.first); err != nil {
			return err
		}
	}
	return nil
}

// revoked tells the PartitionHolder that the partitions are given back. A panic changes
// nothing, as in a worker.
func revoked(code *usercode.Code, records []worker.Record) {
	if !code.HoldsPartitions() {
		return
	}
	for _, p := range partitionsOf(records) {
		_ = code.Revoked(p.topic, p.id, p.next)
	}
}

// observe tells the OutcomeObserver what became of a record that needs no other attempt. A
// panic changes nothing, as in a worker.
func observe(code *usercode.Code, it item) {
	if err := it.result.Err; err == nil {
		settled(code, it, record.Delivered)
	} else if fate, ended := fateOf(it); ended {
		settled(code, it, fate)
	}
}

// settled tells the OutcomeObserver of a record's fate: Delivered is Filtered without outputs.
func settled(code *usercode.Code, it item, fate record.Fate) {
	if !code.HasObserver() {
		return
	}
	o := record.Outcome{
		Input: record.Position{Topic: it.rec.Topic, Partition: it.rec.Partition, Offset: it.rec.Offset},
		Fate:  fate, Err: it.result.Err,
	}
	if it.result.Filtered() {
		o.Fate = record.Filtered
	}
	for _, out := range it.result.Outputs {
		o.Outputs = append(o.Outputs, record.Position{Topic: out.Topic, Offset: -1})
	}
	_ = code.Observe(&o)
}

// policy is that of a worker whose records have attempts left and end as dead letters.
var policy = failure.NewPolicy(config.Failure{MaxAttempts: 2, OnExhausted: config.ToDeadLetter})

// fateOf returns the fate of a record that has failed; ended is false if it would be tried
// again.
func fateOf(it item) (fate record.Fate, ended bool) {
	err := it.result.Err
	if it.final {
		err = failure.Permanent(err)
	}
	action, _ := policy.Decide(1, err)
	return fateAfter(action)
}

// fateAfter returns the fate that an action means; ended is false if it is none.
func fateAfter(action failure.Action) (fate record.Fate, ended bool) {
	switch action {
	case failure.DeadLetter:
		return record.DeadLettered, true
	case failure.Drop:
		return record.Dropped, true
	case failure.Retry, failure.Halt:
	}
	return fate, false
}
