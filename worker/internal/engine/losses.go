package engine

import (
	"sync"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// losses reports records of the input that Kafka has lost.
type losses struct {
	proc *process
	log  logr.Logger
}

// halt reports whether a loss halts its partition.
func (l *losses) halt() bool { return l.proc.cfg.Input.OnDataLoss == config.HaltOnLoss }

// report counts and logs that n offsets between from and to are lost.
func (l *losses) report(partition int32, n, from, to int64, reason workerstatus.LossReason, err error) {
	l.proc.metrics.OffsetsLost.Add(partition, n, from, to, reason)
	l.log.Error(err, "Kafka lost offsets of the input", "topic", l.proc.cfg.Input.Topic, "partition", partition,
		"offsets", n, "from", from, "to", to, "reason", reason)
}

// overtaken remembers the offsets that were counted as lost to retention. A member that
// reads on from an earlier commit, after a rebalance or an aborted transaction, meets the
// same loss once more.
type overtaken struct {
	mu    sync.Mutex
	spans map[lostLog][]span // guarded by mu
}

// lostLog is the log that lost the offsets.
type lostLog struct {
	partition int32
	topic     kafka.TopicID
}

// span is the offsets from first up to next, without next.
type span struct{ first, next int64 }

// add notes a loss. It returns how many of its offsets were counted before, but for those
// that settled counts: a commit after the former loss has these offsets as settled.
func (o *overtaken) add(log lostLog, lost span, settled func(first, next int64) int64) (counted int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.spans == nil {
		o.spans = make(map[lostLog][]span)
	}
	all := []span{lost} // without overlaps
	for _, s := range o.spans[log] {
		if both := (span{max(s.first, lost.first), min(s.next, lost.next)}); both.first < both.next {
			counted += both.next - both.first - settled(both.first, both.next)
		}
		for _, rest := range []span{{s.first, min(s.next, lost.first)}, {max(s.first, lost.next), s.next}} {
			if rest.first < rest.next {
				all = append(all, rest)
			}
		}
	}
	o.spans[log] = all
	return counted
}
