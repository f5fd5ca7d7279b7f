package engine_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestOpenTransactionIsSeen leaves a transaction open: the lag counts the records that it
// holds back, and the status says why the watermark stays.
func TestOpenTransactionIsSeen(t *testing.T) { onBoth(t, 1, openTransactionIsSeen) }

func openTransactionIsSeen(t *testing.T, r *rig) {
	t.Helper()
	r.produceRun(0, 0, 10)
	txn := r.cluster.Begin("hanging")
	txn.Produce(&kgo.Record{Topic: "in", Value: []byte("10")})
	r.produceRun(0, 11, 20)
	w := r.start(identity)
	r.eventually("the lag is real", func() bool {
		p := w.partition(0)
		return p.Watermark == 10 && p.EndOffset == 10 && p.Lag == 21
	})
	r.eventually("the status says why", func() bool {
		return strings.Contains(w.partition(0).Held, "an open transaction has held back the 21 offsets from 10 on")
	})
	txn.Commit()
	r.awaitSettled(w)
	r.eventually("nothing is held back", func() bool {
		p := w.partition(0)
		return p.Held == "" && p.Lag == 0
	})
	w.drain()
	wantEach(t, r.values("out"), 0, 31, false)
}
