package sidecar_test

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestOverGRPC: a process that speaks gRPC is served as one that sends frames.
func TestOverGRPC(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"TheHello": TestTheHello, "AProcessOfAnotherVersion": TestAProcessOfAnotherVersion, "AProcessOfSmallFrames": TestAProcessOfSmallFrames,
		"ABatch": TestABatch, "Failures": TestFailures, "BatchesGoWhereThereIsRoom": TestBatchesGoWhereThereIsRoom,
		"ATooLargeBatch": TestATooLargeBatch, "ByteCreditComesBack": TestByteCreditComesBack,
		"AProcessThatEnds": TestAProcessThatEnds, "TheRecordAtFaultIsFound": TestTheRecordAtFaultIsFound, "AnOverrun": TestAnOverrun,
		"AnOverrunBehindOneThatHangs": TestAnOverrunBehindOneThatHangs,
		"AStop":                       TestAStop, "MistakesOfAProcess": TestMistakesOfAProcess, "ResultsOfAnAnsweredBatch": TestResultsOfAnAnsweredBatch,
		"AMistakeChargesItsBatchOnly": TestAMistakeChargesItsBatchOnly, "TooManyBytes": TestTooManyBytes, "ASilentProcess": TestASilentProcess,
		"Drain": TestDrain, "ADrainedTooEarly": TestADrainedTooEarly, "CloseWaitsForProcesses": TestCloseWaitsForProcesses,
		"AProcessThatCloses": TestAProcessThatCloses, "Metrics": TestMetrics,
		"ADrainBeforeABatch": TestADrainBeforeABatch, "ASuspectGivesItsPlaceBack": TestASuspectGivesItsPlaceBack,
		"ASuspectGetsItsTurn":     TestASuspectGetsItsTurn,
		"CloseWaitsForNoStranger": TestCloseWaitsForNoStranger,
		"AMessageThatIsTooLarge":  testTooLarge, "AProcessThatReadsNothing": testReadsNothing,
	} {
		t.Run(name, test)
	}
}

// TestFramesOfAProcessThatFails hold over a socket what TestOverGRPC holds over gRPC.
func TestFramesOfAProcessThatFails(t *testing.T) {
	t.Run("AMessageThatIsTooLarge", testTooLarge)
	t.Run("AProcessThatReadsNothing", testReadsNothing)
}

// overGRPC reports whether the processes of a test speak gRPC.
func overGRPC(t *testing.T) bool { return strings.HasPrefix(t.Name(), "TestOverGRPC/") }

// testTooLarge: the process learns the limit.
func testTooLarge(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	b := p.batch()
	results := &protocoltest.Results{Batch: b.ID, Results: []protocoltest.Result{{Outputs: []protocoltest.Output{{Value: make([]byte, maxFrame)}}}}}
	_ = p.Send(&protocoltest.ProcessFrame{Results: results}) // the worker may close before the end
	r.wantError(r.wait(call), false, "bytes, and at most 1048576 are allowed")
	if reason := p.closed(); !strings.Contains(reason, "at most 1048576 are allowed") {
		t.Errorf("the process learns %q", reason)
	}
}

// testReadsNothing: results of a process that does not read are taken, and neither another
// process nor the end of the worker waits for it.
func testReadsNothing(t *testing.T) {
	r := newRig(t, sidecar.Batch{})
	deaf := r.connect(8)
	first := r.call(r.within(patience), 1, "1")
	b := deaf.batch()
	large := strings.Repeat("x", 900<<10)
	var calls []<-chan *outcome
	for i := range 4 { // more than the buffers on the way take
		calls = append(calls, r.call(r.within(time.Second), int64(10+i), large))
	}
	deaf.echo(b)
	r.wantEchoes(r.wait(first), "1")
	for _, c := range calls {
		if o := r.wait(c); o.err == nil {
			t.Error("a call without results succeeds")
		}
	}
	p := r.connect(1)
	call := r.call(r.within(patience), 20, "20")
	p.echo(p.batch())
	r.wantEchoes(r.wait(call), "20")
	began := time.Now()
	r.close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the end takes %s", took)
	}
}
