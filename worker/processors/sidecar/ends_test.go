package sidecar_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestAProcessThatEnds fails the call that it holds, with its name and the reason.
func TestAProcessThatEnds(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	call := r.call(r.within(patience), 1, "1")
	p.batch()
	_ = p.Close()
	r.wantError(r.wait(call), false, "process test, pid 7", "has ended, or closed its connection, without a Close")
	p = r.connect(2)
	call = r.call(r.within(patience), 1, "1")
	p.batch()
	p.send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{Error: "out of memory"}})
	r.wantError(r.wait(call), false, "the process has closed the connection: out of memory")
}

// TestTheRecordAtFaultIsFound: a process ends with several batches in hand. Records that were
// alone in theirs are tried with a process for each, and only one that ends its process then
// is charged.
func TestTheRecordAtFaultIsFound(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(3)
	bad, good, many := r.call(r.within(patience), 1, "bad"), r.call(r.within(patience), 2, "good"), r.call(r.within(patience), 3, "3", "4")
	for range 3 {
		p.batch()
	}
	_ = p.Close()
	r.wantError(r.wait(bad), true, "has ended")
	r.wantError(r.wait(good), true, "has ended")
	r.wantError(r.wait(many), false, "has ended") // the engine halves it and charges nobody

	p = r.connect(3)
	other := r.call(r.within(patience), 9, "9")
	held := p.batch()
	bad = r.call(r.within(patience), 1, "bad")
	r.awaitWaiting(1)
	late := r.call(r.within(patience), 10, "10") // must not join a suspect, nor delay it
	p.echo(held)
	r.wantEchoes(r.wait(other), "9")
	if b := p.batch(); offsets(b) != "[1]" {
		t.Fatalf("the batch after that is %s, want the suspect", offsets(b))
	}
	_ = p.Close()
	r.wantError(r.wait(bad), false, "has ended")
	p = r.connect(3)
	p.echo(p.batch())
	r.wantEchoes(r.wait(late), "10")
	good = r.call(r.within(patience), 2, "good")
	p.echo(p.batch())
	r.wantEchoes(r.wait(good), "good")
}

// TestAnOverrun ends the connection, and the process's other batches are not at fault.
func TestAnOverrun(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	other := r.call(r.within(patience), 2, "2")
	p.batch()
	many := r.call(r.within(200*time.Millisecond), 3, "3", "4")
	p.batch()
	r.wantError(r.wait(many), false, "took longer than the timeout of an attempt") // the engine halves it and charges nobody
	r.wantError(r.wait(other), true)
	if reason := p.closed(); !strings.Contains(reason, "took longer") {
		t.Errorf("the process learns %q", reason)
	}
}

// TestAnOverrunBesideOthers: the record's time may have gone to the batches before it, so it is
// charged only if it takes as long alone.
func TestAnOverrunBesideOthers(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	other := r.call(r.within(patience), 2, "2")
	p.batch()
	slow := r.call(r.within(200*time.Millisecond), 1, "1")
	p.batch()
	r.wantError(r.wait(slow), true, "took longer than the timeout of an attempt")
	r.wantError(r.wait(other), true)

	p = r.connect(2)
	other = r.call(r.within(patience), 2, "2")
	held := p.batch()
	slow = r.call(r.within(4*time.Second), 1, "1")
	r.awaitWaiting(1)
	p.echo(held)
	r.wantEchoes(r.wait(other), "2")
	p.batch()
	r.wantError(r.wait(slow), false, "took longer than the timeout of an attempt")
}

// TestAnOverrunBehindOneThatHangs: it is not known which of the two hangs, so both are tried
// alone. A call behind others would otherwise hide the fault of the first for ever, if its time
// is over at the same moment. Several records are halved.
func TestAnOverrunBehindOneThatHangs(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(3)
	hangs := r.call(r.within(patience), 1, "1")
	p.batch()
	several := r.call(r.within(patience), 3, "3", "4")
	p.batch()
	behind := r.call(r.within(200*time.Millisecond), 2, "2")
	p.batch()
	r.wantError(r.wait(behind), true, "took longer than the timeout of an attempt")
	r.wantError(r.wait(several), false, "took longer than the timeout of an attempt")
	r.wantError(r.wait(hangs), true)

	p = r.connect(2)
	hangs = r.call(r.within(200*time.Millisecond), 1, "1")
	p.batch()
	other := r.call(r.within(patience), 9, "9")
	r.awaitWaiting(1) // nothing is beside it
	r.wantError(r.wait(hangs), false, "took longer than the timeout of an attempt")
	p = r.connect(2)
	p.echo(p.batch())
	r.wantEchoes(r.wait(other), "9")
}

// TestAnOverrunAlone is the record's fault.
func TestAnOverrunAlone(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	slow := r.call(r.within(200*time.Millisecond), 1, "1")
	p.batch()
	later := r.call(r.within(patience), 2, "2")
	p.batch()
	r.wantError(r.wait(slow), false, "took longer than the timeout of an attempt")
	r.wantError(r.wait(later), true)
}

// TestAStop cuts the calls off.
func TestAStop(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	ctx, stop := context.WithCancel(t.Context())
	call := r.call(ctx, 1, "1")
	p.batch()
	stop()
	r.wantError(r.wait(call), false, "the worker can't wait any longer")
}

// TestMistakesOfAProcess: each ends the connection, and the process and the log learn why.
func TestMistakesOfAProcess(t *testing.T) {
	results := func(r protocoltest.Results) func(*peer, uint64) {
		return func(p *peer, batch uint64) {
			if r.Batch == 0 {
				r.Batch = batch
			}
			p.send(&protocoltest.ProcessFrame{Results: &r})
		}
	}
	raw := func(b ...byte) func(*peer, uint64) {
		return func(p *peer, _ uint64) {
			if err := p.SendBytes(b); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	frame := func(f protocoltest.ProcessFrame) func(*peer, uint64) { return func(p *peer, _ uint64) { p.send(&f) } }
	twice := []protocoltest.Result{{}, {}}
	for want, send := range map[string]func(*peer, uint64){
		"results of batch 9, which the worker has not sent":       results(protocoltest.Results{Batch: 9}),
		"batch 1 has 2 records, and a result is for the one at 2": results(protocoltest.Results{Results: []protocoltest.Result{{Index: 2}}}),
		"the record at 0 of batch 1 has two results":              results(protocoltest.Results{Results: twice}),
		"the result of record 1 has outputs and a failure":        results(protocoltest.Results{Results: []protocoltest.Result{{Index: 1, Outputs: []protocoltest.Output{{}}, Failure: &protocoltest.Failure{}}}}),
		"a second Hello":                                                frame(protocoltest.ProcessFrame{Hello: &protocoltest.ProcessHello{}}),
		"a Pong 3 that no Ping has asked for":                           frame(protocoltest.ProcessFrame{Pong: &protocoltest.Ping{ID: 3}}),
		"a Drained that no Drain has asked for":                         frame(protocoltest.ProcessFrame{Drained: &struct{}{}}),
		"a frame holds no message that version 1 of the protocol knows": raw(0, 0, 0, 2, 0x7a, 0),
		"a frame is empty":                                              raw(0, 0, 0, 0),
		"the message is not Protobuf":                                   raw(0, 0, 0, 1, 0xff),
		"a frame has 4294967295 bytes, and at most 1048576 are allowed": raw(255, 255, 255, 255),
	} {
		t.Run(want, func(t *testing.T) {
			if overGRPC(t) && strings.Contains(want, "4294967295") {
				t.Skip("gRPC's client sends no length that is wrong")
			}
			r := newRig(t, sidecar.Batch{})
			p := r.connect(1)
			call := r.call(r.within(patience), 1, "1", "2")
			send(p, p.batch().ID)
			if reason := p.closed(); !strings.Contains(reason, want) {
				t.Errorf("the process learns %q, want %q", reason, want)
			}
			r.wantError(r.wait(call), false, want)
		})
	}
}

// TestResultsOfAnAnsweredBatch end the connection.
func TestResultsOfAnAnsweredBatch(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	call := r.call(r.within(patience), 1, "1")
	b := p.batch()
	p.echo(b)
	r.wantEchoes(r.wait(call), "1")
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID}})
	if reason := p.closed(); reason != "results of batch 1, which was answered before" {
		t.Errorf("the process learns %q", reason)
	}
}

// TestAMistakeChargesItsBatchOnly: the process's other batch is not at fault.
func TestAMistakeChargesItsBatchOnly(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	bad := r.call(r.within(patience), 1, "1")
	b := p.batch()
	other := r.call(r.within(patience), 2, "2")
	p.batch()
	p.send(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{{Index: 5}}}})
	r.wantError(r.wait(bad), false, "a result is for the one at 5")
	r.wantError(r.wait(other), true)
}

// TestTooManyBytes: neither the results of one batch nor those without credit may be more
// than the worker takes.
func TestTooManyBytes(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1", "2")
	b := p.batch()
	half := make([]byte, 600<<10)
	for i := range 2 {
		message, err := protocoltest.EncodeFrame(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{{Index: uint32(i), Outputs: []protocoltest.Output{{Value: half}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		if n := binary.BigEndian.Uint32(message); int(n) != len(message)-4 {
			t.Fatal("the message has another length")
		}
		_ = p.SendBytes(message) // the worker may close before the end
	}
	r.wantError(r.wait(call), false, "have more than 1048576 bytes")
}

// TestALargeFrameAfterSmallOnes: a process has credit for it, although the worker has not given
// back what the others have used.
func TestALargeFrameAfterSmallOnes(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1})
	credit := p.receive().Hello.ByteCredit
	for i, size := range []int{200 << 10, maxFrame - 64} {
		call := r.call(r.within(patience), int64(i), "x")
		message, err := protocoltest.EncodeFrame(&protocoltest.ProcessFrame{Results: &protocoltest.Results{Batch: p.batch().ID, Results: []protocoltest.Result{{Outputs: []protocoltest.Output{{Value: make([]byte, size)}}}}}})
		if err != nil {
			t.Fatal(err)
		}
		if bytes := uint64(len(message) - 4); credit < bytes {
			t.Fatalf("the process has credit for %d bytes, and waits with %d for ever", credit, bytes)
		}
		credit -= uint64(len(message) - 4)
		if err := p.SendBytes(message); err != nil {
			t.Fatal(err)
		}
		if o := r.wait(call); o.err != nil || len(o.outputs(0)) != 1 {
			t.Fatalf("%+v", o)
		}
		p.send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: 1}})
	}
}

// TestASilentProcess without a batch is left, and one that answers is not.
func TestASilentProcess(t *testing.T) {
	r := rigFor(t, sidecar.Batch{}, 20*time.Millisecond, 200*time.Millisecond)
	p := r.connect(1)
	for range 20 {
		f := p.receive()
		if f.Ping == nil {
			t.Fatalf("the worker sends %+v, want a Ping", f)
		}
		p.send(&protocoltest.ProcessFrame{Pong: f.Ping})
	}
	if reason := p.closed(); !strings.Contains(reason, "the process is silent") {
		t.Errorf("the process learns %q", reason)
	}
}

// TestAProcessThatKeepsItsCredit ends, although it answers each Ping, and a call that has waited
// for it goes to another one.
func TestAProcessThatKeepsItsCredit(t *testing.T) {
	r := rigFor(t, sidecar.Batch{}, 20*time.Millisecond, 200*time.Millisecond)
	p := r.connect(2)
	for n := range int64(2) {
		call := r.call(r.within(patience), n, "v")
		p.answer(p.afterPongs().Batch)
		r.wantEchoes(r.wait(call), "v")
	}
	waits := r.call(r.within(patience), 3, "v")
	r.awaitWaiting(1)
	if f := p.afterPongs(); f.Close == nil || !strings.Contains(f.Close.Error, "given no credit for 200ms; it has to send a BatchCredit of 1") {
		t.Errorf("the process gets %+v, want a Close with the reason", f)
	}
	if s := r.p.Processes(); s.Failed != 1 || !strings.Contains(s.LastError, "given no credit") {
		t.Errorf("the status is %+v", s)
	}
	other := r.connect(1)
	other.echo(other.afterPongs().Batch)
	r.wantEchoes(r.wait(waits), "v")
}

// TestABatchThatCrossesTheEndOfAnIdleProcess is not charged with it.
func TestABatchThatCrossesTheEndOfAnIdleProcess(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	p.batch()
	sidecar.EndIdle(r.p)
	r.wantError(r.wait(call), true, "idle")
}

// TestDrain: a process is asked once, and must not say that it holds nothing while it does.
func TestDrain(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(2)
	call := r.call(r.within(patience), 1, "1")
	b := p.batch()
	r.p.Drain()
	r.p.Drain()
	if f := p.receive(); f.Drain == nil {
		t.Fatalf("the worker sends %+v, want a Drain", f)
	}
	p.echo(b)
	r.wantEchoes(r.wait(call), "1")
	p.send(&protocoltest.ProcessFrame{Drained: &struct{}{}})
	call = r.call(r.within(patience), 2, "2")
	p.echo(p.batch())
	r.wantEchoes(r.wait(call), "2")

	p = r.dial(&protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1, BatchCredit: 5})
	p.receive()
	if f := p.receive(); f.Drain == nil {
		t.Fatalf("the worker sends %+v to a process that comes later, want a Drain", f)
	}
	r.call(r.within(patience), 3, "3")
	p.batch()
	p.send(&protocoltest.ProcessFrame{Drained: &struct{}{}}) // of the Drain before the batch
	p.send(&protocoltest.ProcessFrame{Drained: &struct{}{}})
	if reason := p.closed(); !strings.Contains(reason, "no Drain has asked for") {
		t.Errorf("the process learns %q", reason)
	}
}

// TestADrainBeforeABatch: a process that answers the Drain first has made no mistake.
func TestADrainBeforeABatch(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	ended := make(chan error, 1)
	recs, outs := []*worker.Record{{Topic: "in", Value: []byte("1")}}, []*worker.Outputs{{}}
	go func() { ended <- sidecar.DrainFirst(r.within(patience), r.p, recs, outs) }()
	if f := p.receive(); f.Drain == nil {
		t.Fatalf("the worker sends %+v, want a Drain", f)
	}
	p.send(&protocoltest.ProcessFrame{Drained: &struct{}{}})
	p.echo(p.batch())
	if err := <-ended; err != nil {
		t.Errorf("the call has failed: %v", err)
	}
}

// TestADrainedTooEarly is a mistake.
func TestADrainedTooEarly(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	p.batch()
	r.p.Drain()
	p.receive()
	p.send(&protocoltest.ProcessFrame{Drained: &struct{}{}})
	if reason := p.closed(); reason != "a Drained while batch 1 has no results" {
		t.Errorf("the process learns %q", reason)
	}
	r.wantError(r.wait(call), false, "a Drained while batch 1 has no results")
}

// TestCloseWaitsForProcesses: one that closes its connection in time ends in good order.
func TestCloseWaitsForProcesses(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	b := p.batch()
	closed := make(chan struct{})
	go func() {
		r.close()
		close(closed)
	}()
	if f := p.receive(); f.Close == nil || f.Close.Error != "" {
		t.Fatalf("the worker sends %+v, want a Close in good order", f)
	}
	p.echo(b)
	r.wantEchoes(r.wait(call), "1")
	_ = p.Conn.Close()
	<-closed
	hangs := newRig(t, sidecar.Batch{})
	hangs.connect(1)
	hangs.close() // ends all the same
}

// TestCloseWaitsForNoStranger: a connection that has not said Hello holds nothing.
func TestCloseWaitsForNoStranger(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	stranger, err := net.Dial("unix", r.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Close() }()
	p := r.connect(1) // the worker has accepted the other one before
	_ = p.Conn.Close()
	closed := make(chan struct{})
	go func() {
		r.close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(5 * time.Second): // it would wait for ten
		t.Error("the worker waits for a connection without a Hello")
	}
	<-closed
}

// TestTooManyConnections: those that have not said Hello count.
func TestTooManyConnections(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	r.connect(1)
	refused := make(chan string, 1024)
	for range 1024 {
		stranger, err := net.Dial("unix", r.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = stranger.Close() }()
		go func() {
			said, _ := io.ReadAll(stranger) // an error shows as a reason that is not there
			refused <- string(said)
		}()
	}
	if said := <-refused; !strings.Contains(said, "the worker has 1024 connections already") {
		t.Errorf("the worker says %q", said)
	}
}

// TestAProcessThatCloses hands back the batches that are on their way.
func TestAProcessThatCloses(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	p.batch()
	p.send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{}})
	r.wantError(r.wait(call), true)
	if f, err := p.Receive(); err == nil {
		t.Errorf("the worker sends %+v, want the end", f)
	}
}
