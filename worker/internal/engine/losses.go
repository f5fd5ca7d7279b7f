package engine

import (
	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
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
