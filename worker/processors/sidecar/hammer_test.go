package sidecar_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestProcessesThatMisbehave at random: each call ends in its time, none gets the results of
// another, and a good process that comes at last can do everything.
func TestProcessesThatMisbehave(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := newRig(t, sidecar.Batch{}, func(o *sidecar.Options) { o.Log = logr.Discard() })
	ctx, stop := context.WithCancel(t.Context())
	var processes, callers sync.WaitGroup
	for i := range 4 {
		processes.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for ctx.Err() == nil {
				misbehave(ctx, r.socket, random)
			}
		})
	}
	for i := range 12 {
		callers.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(100+i)))
			for n := range 60 {
				values := []string{fmt.Sprintf("%d.%d.0", i, n), fmt.Sprintf("%d.%d.1", i, n)}[:1+random.IntN(2)]
				within, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				call := r.call(within, int64(1000*i+n/3), values...) // records come again
				select {
				case o := <-call:
					if o.err == nil {
						r.wantEchoes(o, values...)
					}
				case <-time.After(patience):
					t.Error("a call does not end")
				}
				cancel()
			}
		})
	}
	callers.Wait()
	stop()
	processes.Wait()
	p := r.connect(1)
	for i := range 1000 {
		call := r.call(r.within(patience), int64(i), "good")
		p.echo(p.batch())
		r.wantEchoes(r.wait(call), "good")
	}
}

// misbehave is a process for one connection.
func misbehave(ctx context.Context, socket string, random *rand.Rand) {
	p, err := protocoltest.Connect(socket, &protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, BatchCredit: uint32(random.IntN(4))})
	if err != nil {
		return
	}
	defer func() { _ = p.Close() }()
	defer context.AfterFunc(ctx, func() { _ = p.Close() })()
	for {
		f, err := p.Receive()
		if err != nil || f.Close != nil {
			return
		}
		if f.Batch == nil {
			continue
		}
		answer := &protocoltest.Results{Batch: f.Batch.ID}
		for i := range f.Batch.Records {
			answer.Results = append(answer.Results, protocoltest.Result{Index: uint32(i), Outputs: []protocoltest.Output{{SameKey: true, SameValue: true}}})
		}
		switch random.IntN(16) {
		case 0: // ends with what it holds
			return
		case 1:
			err = p.Send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{}})
		case 2: // answers all but one, and holds it
			answer.Results = answer.Results[1:]
		case 3:
			answer.Results[0].Index = 7
		case 4:
			answer.Batch += 1 + random.Uint64N(3) // perhaps one that is not sent yet
		case 5:
			continue // holds it
		case 6: // answers late
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
		case 7:
			answer = &protocoltest.Results{Batch: f.Batch.ID, Failure: &protocoltest.Failure{Message: "bad"}}
		}
		if err == nil {
			err = p.Send(&protocoltest.ProcessFrame{Results: answer})
		}
		if err == nil && random.IntN(8) > 0 {
			err = p.Send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: uint32(random.IntN(3))}})
		}
		if err != nil {
			return
		}
	}
}
