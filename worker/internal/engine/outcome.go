package engine

import (
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// outcomes gathers the outcomes of one chunk's records for the OutcomeObserver. Only
// chunks of processors that observe have one.
type outcomes struct {
	mu      sync.Mutex
	records []pending // guarded by mu
}

// pending is a record's outcome in the making.
type pending struct {
	fate    record.Fate
	err     error
	missing int
	outputs []record.Position
}

func (o *outcomes) reset(n int) {
	o.records = append(o.records[:0], make([]pending, n)...)
	for i := range o.records {
		o.records[i].missing = 1
	}
}

// expect sets the number of results that record i waits for.
func (o *outcomes) expect(i, results int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records[i].missing = results
}

// setFate sets the fate that record i has once its results are there.
func (o *outcomes) setFate(i int, fate record.Fate, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records[i].fate, o.records[i].err = fate, err
}

// add counts one result, and passes the outcome on after the record's last one.
func (o *outcomes) add(to *observer, c *chunk, i int, ack *produce.Ack, k int) {
	o.mu.Lock()
	p := &o.records[i]
	if ack != nil {
		p.outputs = append(p.outputs, position(ack, k))
	}
	p.missing--
	done := p.missing == 0
	result := *p
	o.mu.Unlock()
	if !done {
		return
	}
	rec := &c.Records[i]
	to.add(record.Outcome{
		Input:   record.Position{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset},
		Fate:    result.fate,
		Outputs: result.outputs,
		Err:     result.err,
	})
}

// observe calls the processor's OutcomeObserver. The record is settled whatever the
// observer does, so a panic changes nothing about it.
func (p *process) observe(o *record.Outcome) {
	if err := p.code.Observe(o); err != nil {
		p.metrics.ObserverPanics.Add(1)
		p.failures.observer(o, p.metrics.ObserverPanics.Value(), err)
	}
}

// position returns the place of the k-th record of an acknowledgement.
func position(a *produce.Ack, k int) record.Position {
	p := record.Position{Topic: a.Topic, Partition: a.Partition, Offset: -1}
	if a.BaseOffset >= 0 {
		p.Offset = a.BaseOffset + int64(k)
	}
	return p
}
