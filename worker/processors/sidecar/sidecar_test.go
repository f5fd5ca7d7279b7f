package sidecar_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestTheHello: a process learns what it works on, and the limits of the manifest go before
// its wishes.
func TestTheHello(t *testing.T) {
	r := newRig(t, sidecar.Batch{MaxRecords: 50})
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 4, MaxRecords: 100, MaxBytes: 1000, LingerMs: 20})
	h := p.receive().Hello
	if h == nil || h.Version != 1 || h.Topic != "in" || h.Group != "group" || h.Ordering != "Key" || h.Processor != "orders" ||
		h.MaxRecords != 50 || h.MaxBytes != 1000 || h.LingerMs != 20 || h.ByteCredit < h.MaxFrameBytes || h.MaxFrameBytes == 0 {
		t.Errorf("the worker's Hello is %+v", h)
	}
	if err := r.p.Await(r.within(patience)); err != nil {
		t.Fatal(err)
	}
	if r.p.BatchSize() != 50 || r.p.BatchBytes() != 1000 || r.p.BatchLinger() != 20*time.Millisecond {
		t.Errorf("the limits are %d, %d, %s", r.p.BatchSize(), r.p.BatchBytes(), r.p.BatchLinger())
	}
}

// TestAProcessOfAnotherVersion is told so.
func TestAProcessOfAnotherVersion(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 2, MaxVersion: 3})
	if reason := p.closed(); !strings.Contains(reason, "versions 2 to 3 of the protocol, and this worker version 1") {
		t.Errorf("the reason is %q", reason)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errTest)
	if err := r.p.Await(ctx); !errors.Is(err, errTest) {
		t.Errorf("Await returns %v, want the cause of its end", err)
	}
}

// TestAProcessOfSmallFrames is refused: nearly all records would fail for good.
func TestAProcessOfSmallFrames(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, MaxFrameBytes: 200})
	if reason := p.closed(); reason != "the process takes frames of 200 bytes, and must take 65536 at least" {
		t.Errorf("the reason is %q", reason)
	}
}

// TestABatch: the process gets the records as they are, and its results reach their records
// in whatever order and in how many frames they come.
func TestABatch(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 40, "a", "b", "c", "d")
	b := p.batch()
	if b.Topic != "in" || b.TimeoutMs == 0 || b.TimeoutMs > 30_000 || offsets(b) != "[40 41 42 43]" ||
		b.Records[1].Partition != 1 || string(b.Records[1].Value) != "b" || b.Records[1].Attempt != 1 || b.Records[0].TimestampMs != nil {
		t.Errorf("the batch is %+v", b)
	}
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{
		{Index: 3}, {Index: 1, Outputs: []protocoltest.Output{{Value: []byte("B"), SameKey: true}, {Topic: "other"}}},
	}}})
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{
		{Index: 2, Failure: &protocoltest.Failure{Kind: "PERMANENT", Message: "no", Detail: "trace"}},
		{Outputs: []protocoltest.Output{{SameValue: true, SameHeaders: true}}},
	}}})
	o := r.wait(call)
	if o.err != nil {
		t.Fatal(o.err)
	}
	if a := o.outputs(0); len(a) != 1 || string(a[0].Value) != "a" || !a[0].NullKey || a[0].Headers != nil {
		t.Errorf("the outputs of record a are %+v", a)
	}
	if b := o.outputs(1); len(b) != 2 || string(b[0].Value) != "B" || b[0].NullKey || b[0].Headers == nil || b[1].Value != nil || b[1].Topic != "other" {
		t.Errorf("the outputs of record b are %+v", b)
	}
	var reported *sidecar.ProcessorError
	if err := o.failureOf(2); !errors.As(err, &reported) || !failure.IsPermanent(err) || reported.Message != "no" || reported.Detail != "trace" {
		t.Errorf("the failure of record c is %v", err)
	}
	if d := o.outputs(3); len(d) != 0 || o.failureOf(3) != nil {
		t.Errorf("record d is not filtered: %+v", d)
	}
}

// TestFailures: each kind is the engine's, with what belongs to it.
func TestFailures(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 0, "0", "1", "2", "3", "4")
	b := p.batch()
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{
		{Index: 0, Failure: &protocoltest.Failure{}},
		{Index: 1, Failure: &protocoltest.Failure{Message: "later", RetryAfterMs: 1500}},
		{Index: 2, Failure: &protocoltest.Failure{Kind: "DROP", Message: "worthless"}},
		{Index: 3, Failure: &protocoltest.Failure{Kind: "DEAD_LETTER", Message: "review", DeadLetterTopic: "review"}},
		{Index: 4, Failure: &protocoltest.Failure{Kind: "DEAD_LETTER", Message: "nowhere"}},
	}}})
	o := r.wait(call)
	policy := failure.Policy{}
	if err := o.failureOf(0); err == nil || failure.IsFinal(err) || err.Error() != "the processor failed and gave no reason" {
		t.Errorf("a failure without anything is %v", err)
	}
	if wait, ok := failure.WaitOf(o.failureOf(1)); !ok || wait != 1500*time.Millisecond {
		t.Errorf("the wait is %s", wait)
	}
	if action, _ := policy.Decide(1, o.failureOf(2)); action != failure.Drop {
		t.Errorf("a worthless record's action is %d", action)
	}
	if topic, ok := failure.TopicOf(o.failureOf(3)); !ok || topic != "review" {
		t.Errorf("the dead letter's topic is %q", topic)
	}
	if err := o.failureOf(4); !failure.IsPermanent(err) {
		t.Errorf("a dead letter without a topic is %v, want a permanent failure", err)
	}
	p.send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: 1}})
	call = r.call(r.within(patience), 0, "0", "1")
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: p.batch().ID, Failure: &protocoltest.Failure{Kind: "PERMANENT", Message: "all"}}})
	if o := r.wait(call); o.err == nil || o.err.Error() != "all" || !failure.IsPermanent(o.err) {
		t.Errorf("the failure of a batch is %v", o.err)
	}
}

// TestBatchesGoWhereThereIsRoom: to the process with the fewest, within its credit.
func TestBatchesGoWhereThereIsRoom(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	one, two := r.connect(1), r.connect(2)
	first := r.call(r.within(patience), 1, "1")
	a := two.batch() // more credit
	second := r.call(r.within(patience), 2, "2")
	b := one.batch()
	third := r.call(r.within(patience), 3, "3")
	c := two.batch()
	fourth := r.call(r.within(patience), 4, "4") // waits
	one.echo(b)
	d := one.batch()
	if offsets(d) != "[4]" || offsets(c) != "[3]" {
		t.Errorf("the batches are %s and %s", offsets(c), offsets(d))
	}
	two.echo(c) // out of order
	two.echo(a)
	one.echo(d)
	for i, call := range []<-chan *outcome{first, second, third, fourth} {
		r.wantEchoes(r.wait(call), string(rune('1'+i)))
	}
}

// TestWithoutAProcess: calls wait for one, and end untried when their time is short.
func TestWithoutAProcess(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.wantError(r.wait(r.call(r.within(100*time.Millisecond), 1, "1")), true, "no process is connected")
	call := r.call(r.within(patience), 1, "1")
	p := r.connect(1)
	busy := r.wait(r.call(r.within(100*time.Millisecond), 2, "2"))
	r.wantError(busy, true, "all 1 processes were busy")
	p.echo(p.batch())
	r.wantEchoes(r.wait(call), "1")
}

// TestATooLargeBatch fails at once, so that the engine makes a smaller one.
func TestATooLargeBatch(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, MaxFrameBytes: 64 << 10})
	p.receive()
	o := r.wait(r.call(r.within(patience), 1, strings.Repeat("x", 64<<10)))
	r.wantError(o, false, "bytes, and the process takes 65536")
	if !failure.IsPermanent(o.err) {
		t.Error("the error is not permanent")
	}
	small := r.call(r.within(patience), 2, "2") // the credit is still there
	p.echo(p.batch())
	r.wantEchoes(r.wait(small), "2")
}

// TestByteCreditComesBack: a process may send more than its first credit in the end.
func TestByteCreditComesBack(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	value := bytes.Repeat([]byte("x"), 300<<10)
	given := uint64(0)
	for i := range 5 {
		call := r.call(r.within(patience), int64(i), "v")
		f := p.receive()
		for f.Credit != nil {
			given += f.Credit.Bytes
			f = p.receive()
		}
		p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: f.Batch.ID, Results: []protocoltest.Result{{Outputs: []protocoltest.Output{{Value: value}}}}}})
		p.send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: 1}})
		if o := r.wait(call); o.err != nil || !bytes.Equal(o.outputs(0)[0].Value, value) {
			t.Fatalf("call %d: %v", i, o.err)
		}
	}
	if given < 256<<10 {
		t.Errorf("the worker gave back %d bytes of credit", given)
	}
}
