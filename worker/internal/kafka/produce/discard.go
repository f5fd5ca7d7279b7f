package produce

import "github.com/millrace-dev/millrace/worker/internal/kafka/batch"

// Discard drops the queued records whose origins are over: they are not written, and OnAck
// never gets their origins. It may be called after FlushCut and before Resume, while nothing
// is in flight. Of each input it has to drop all records or none.
func (p *Producer) Discard(over func(batch.Origin) bool) {
	for _, t := range *p.directory.writers.Load() {
		t.discard(over)
	}
	p.flusher.progressed()
}

// discard does the work of Discard for the topic. The locks keep it from missing a batch
// that moves from one queue to another.
func (t *TopicWriter) discard(over func(batch.Origin) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range t.layout.Load().queues {
		q.discard(over)
	}
}

// discard does the work of Discard for the queue. The goroutine that holds it, if any, gives
// it up if it finds it empty.
func (q *partitionQueue) discard(over func(batch.Origin) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	memory := &q.topic.producer.memory
	var left []*batch.Builder
	for _, b := range q.sealed {
		parts, dropped := without(b, over)
		if dropped == 0 {
			left = append(left, b)
			continue
		}
		q.settled += dropped
		left = append(left, memory.divide(b, parts)...)
		memory.release(b)
	}
	q.sealed = left
}

// without numbers the records of b for Builder.Divide: those whose origins are over are left
// out. It returns how many there are.
func without(b *batch.Builder, over func(batch.Origin) bool) (parts []int32, dropped int64) {
	parts = make([]int32, b.Count())
	for i, o := range b.Origins() {
		if over(o) {
			parts[i] = -1
			dropped++
		}
	}
	return parts, dropped
}
