package engine

import "fmt"

// A PartitionHolder hears of each assignment from the feeder's goroutine, which dispatches
// the records: of its begin before the first of them, and of its end once. When the member
// starts over, a partition is lost and assigned again, since its records come again.

// tellAssigned tells the PartitionHolder, if there is one, that a partition is about to be
// read. It reports false if that panics: without its state the partition must not be read,
// so the worker ends.
func (a *assignments) tellAssigned(r *reader) bool {
	if !a.proc.code.HoldsPartitions() {
		return true
	}
	if err := a.proc.code.Assigned(a.proc.cfg.Input.Topic, r.id, r.tracker.Position()); err != nil {
		a.proc.fail(fmt.Errorf("partition %d: %w", r.id, err), false)
		return false
	}
	r.told = true
	return true
}

// tellRevoked tells the PartitionHolder that a partition is about to be given back, with
// all of its records settled.
func (h *holdings) tellRevoked(r *reader) {
	if !r.told || r.records.Load() > r.stuck.Load() {
		return // forget tells that it is lost
	}
	r.told = false
	h.hookPanicked(r, h.proc.code.Revoked(h.proc.cfg.Input.Topic, r.id, r.tracker.Watermark()))
}

// tellLost tells the PartitionHolder that records of a partition are left to its next
// owner, who may have begun.
func (h *holdings) tellLost(r *reader) {
	if !r.told {
		return
	}
	r.told = false
	h.hookPanicked(r, h.proc.code.Lost(h.proc.cfg.Input.Topic, r.id))
}

// hookPanicked logs a panic in a hook after which the partition is gone all the same.
func (h *holdings) hookPanicked(r *reader, err error) {
	if err != nil {
		h.proc.failures.failure("a hook of the processor panicked; the partition is given up all the same, correct the processor",
			[]any{"topic", h.proc.cfg.Input.Topic, "partition", r.id, "error", shortened(err.Error())}, err)
	}
}
