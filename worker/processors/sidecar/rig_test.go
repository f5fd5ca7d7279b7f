package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

const (
	patience = 30 * time.Second
	maxFrame = 1 << 20
)

// rig is a Processor, and the place where processes find it.
type rig struct {
	t      *testing.T
	p      *sidecar.Processor
	socket string
	closed bool
}

func newRig(t *testing.T, batch sidecar.Batch, change ...func(*sidecar.Options)) *rig {
	t.Helper()
	return rigFor(t, batch, time.Minute, time.Minute, change...)
}

func rigFor(t *testing.T, batch sidecar.Batch, ping, silence time.Duration, change ...func(*sidecar.Options)) *rig {
	t.Helper()
	r := &rig{t: t, socket: filepath.Join(t.TempDir(), "s")}
	opts := sidecar.Options{
		Socket: r.socket, Batch: batch, Log: testr.New(t),
		Worker: config.Config{
			Name: "orders", Input: config.Input{Topic: "in", GroupID: "group"}, Ordering: config.Key,
		},
	}
	for _, f := range change {
		f(&opts)
	}
	p, err := sidecar.ListenFor(opts, ping, silence, maxFrame)
	if err != nil {
		t.Fatal(err)
	}
	r.p = p
	t.Cleanup(r.close)
	return r
}

// close closes the Processor, once.
func (r *rig) close() {
	if r.closed {
		return
	}
	r.closed = true
	if err := r.p.Close(); err != nil {
		r.t.Error(err)
	}
}

// peer is a process for a test.
type peer struct {
	t *testing.T
	*protocoltest.Peer
}

// connect connects a process that has credit for so many batches, and takes the worker's
// Hello.
func (r *rig) connect(credit uint32) *peer {
	r.t.Helper()
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, SDK: "test", PID: 7, BatchCredit: credit})
	if f := p.receive(); f.Hello == nil {
		r.t.Fatalf("the worker answers the Hello with %+v", f)
	}
	return p
}

func (r *rig) dial(hello *protocoltest.ProcessHello) *peer {
	r.t.Helper()
	connect := protocoltest.Connect
	if overGRPC(r.t) {
		connect = protocoltest.ConnectGRPC
	}
	p, err := connect(r.socket, hello)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = p.Close() })
	return &peer{r.t, p}
}

func (p *peer) receive() *protocoltest.WorkerFrame {
	p.t.Helper()
	if err := p.SetReadDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	f, err := p.Receive()
	if err != nil {
		p.t.Fatalf("the worker sends nothing: %v", err)
	}
	return f
}

func (p *peer) batch() *protocoltest.Batch {
	p.t.Helper()
	f := p.receive()
	if f.Batch == nil {
		p.t.Fatalf("the worker sends %+v, want a batch", f)
	}
	return f.Batch
}

// afterPongs answers Pings, and returns the next other message.
func (p *peer) afterPongs() *protocoltest.WorkerFrame {
	p.t.Helper()
	for {
		f := p.receive()
		if f.Ping == nil {
			return f
		}
		p.send(&protocoltest.ProcessFrame{Pong: f.Ping})
	}
}

func (p *peer) send(f *protocoltest.ProcessFrame) {
	p.t.Helper()
	if err := p.Send(f); err != nil {
		p.t.Fatal(err)
	}
}

// echo answers all records of a batch with their values, and gives its credit back.
func (p *peer) echo(b *protocoltest.Batch) {
	p.t.Helper()
	p.answer(b)
	p.send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: 1}})
}

// answer answers all records of a batch with their values, and keeps its credit.
func (p *peer) answer(b *protocoltest.Batch) {
	p.t.Helper()
	results := &protocoltest.Results{Batch: b.ID}
	for i := range b.Records {
		results.Results = append(results.Results, protocoltest.Result{Index: uint32(i), Outputs: []protocoltest.Output{{SameKey: true, SameValue: true, SameHeaders: true}}})
	}
	p.send(&protocoltest.ProcessFrame{Results: results})
}

// closed returns the reason for which the worker closes the connection.
func (p *peer) closed() string {
	p.t.Helper()
	for {
		f := p.receive()
		if f.Close == nil {
			continue
		}
		if f, err := p.Receive(); err == nil {
			p.t.Errorf("the worker sends %+v after its Close", f)
		}
		return f.Close.Error
	}
}

// outcome is how a call has ended.
type outcome struct {
	err  error
	outs []*worker.Outputs
}

// outputs returns those of record i.
func (o *outcome) outputs(i int) []record.Output {
	return usercode.As[record.Outputs](o.outs[i]).List()
}

// failureOf returns the error of record i.
func (o *outcome) failureOf(i int) error { return usercode.As[record.Outputs](o.outs[i]).Err() }

// call calls ProcessBatch with a record for each value, whose offsets begin at first.
func (r *rig) call(ctx context.Context, first int64, values ...string) <-chan *outcome {
	ended := make(chan *outcome, 1)
	var recs []*worker.Record
	o := &outcome{}
	for i, v := range values {
		recs = append(recs, &worker.Record{Topic: "in", Partition: 1, Offset: first + int64(i), Key: []byte("k"), Value: []byte(v)})
		o.outs = append(o.outs, &worker.Outputs{})
	}
	go func() {
		o.err = r.p.ProcessBatch(ctx, recs, o.outs)
		ended <- o
	}()
	return ended
}

func (r *rig) wait(ended <-chan *outcome) *outcome {
	r.t.Helper()
	select {
	case o := <-ended:
		return o
	case <-time.After(patience):
		r.t.Fatal("the call does not end")
		return nil
	}
}

// awaitWaiting waits until so many calls wait for a process.
func (r *rig) awaitWaiting(calls int) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); sidecar.Waiting(r.p) != calls; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%d calls wait, want %d", sidecar.Waiting(r.p), calls)
		}
	}
}

// within returns a context with a deadline.
func (r *rig) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	r.t.Cleanup(cancel)
	return ctx
}

// wantEchoes fails unless the call has succeeded with its values.
func (r *rig) wantEchoes(o *outcome, values ...string) {
	r.t.Helper()
	if o.err != nil {
		r.t.Fatalf("the call has failed: %v", o.err)
	}
	for i, v := range values {
		if outs := o.outputs(i); len(outs) != 1 || string(outs[0].Value) != v || o.failureOf(i) != nil {
			r.t.Errorf("record %d has the outputs %+v and the error %v, want %q", i, outs, o.failureOf(i), v)
		}
	}
}

// wantError fails unless the call has failed with texts in its error.
func (r *rig) wantError(o *outcome, untried bool, texts ...string) {
	r.t.Helper()
	if o.err == nil {
		r.t.Fatalf("the call has succeeded, want an error with %q", texts)
	}
	if failure.IsUntried(o.err) != untried {
		r.t.Errorf("the error is untried: %v, want %v: %v", !untried, untried, o.err)
	}
	for _, text := range texts {
		if !strings.Contains(o.err.Error(), text) {
			r.t.Errorf("the error is %q, want one with %q", o.err, text)
		}
	}
}

var errTest = errors.New("test")

func offsets(b *protocoltest.Batch) string {
	var all []int64
	for _, r := range b.Records {
		all = append(all, r.Offset)
	}
	return fmt.Sprint(all)
}
