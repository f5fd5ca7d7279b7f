package engine_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// A test in which a worker dies runs the worker in a separate process: this test binary,
// which the environment tells to be a worker.
const (
	childConfig = "MILLRACE_TEST_WORKER"
	crashValue  = "MILLRACE_TEST_CRASH"
	// inBatches has the worker take its records in batches.
	inBatches = "MILLRACE_TEST_BATCHES"
	// measureRecords has the worker measure itself over as many records.
	measureRecords = "MILLRACE_TEST_MEASURE"
)

func TestMain(m *testing.M) {
	if cfg := os.Getenv(childConfig); cfg != "" {
		os.Exit(childWorker(cfg))
	}
	kafkatest.Main(m)
}

// childWorker runs a worker that copies records, and ends the process at once when it
// meets the crash value.
func childWorker(encoded string) int {
	var cfg config.Config
	if err := json.Unmarshal([]byte(encoded), &cfg); err != nil {
		panic(err)
	}
	if n, err := strconv.ParseInt(os.Getenv(measureRecords), 10, 64); err == nil {
		measure(cfg, n)
		return 0
	}
	crash := os.Getenv(crashValue)
	var p worker.Processor = worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if crash != "" && string(rec.Value) == crash {
			os.Exit(42)
		}
		return rec.Value, nil
	})
	if os.Getenv(inBatches) != "" {
		p = &batches{size: 32, poison: crash, fail: func(context.Context) error { os.Exit(42); return nil }}
	}
	log := telemetry.NewLogger(config.LogText, os.Stderr)
	code, err := userCode(p)
	if err != nil {
		panic(err)
	}
	if err := engine.New(cfg, code, telemetry.NewMetrics("in"), log).Run(context.Background()); err != nil {
		log.Error(err, "ended")
		return 1
	}
	return 0
}

// process is a worker in a separate process.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// kill ends the process as the kernel would, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// child starts a worker process; it is killed at the end of the test.
func (r *rig) child(crash string) *process {
	r.t.Helper()
	cfg, err := json.Marshal(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+string(cfg), crashValue+"="+crash)
	log := &testLog{}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // how it ended is what the tests are about
	}()
	r.t.Cleanup(func() {
		p.kill()
		if r.t.Failed() {
			r.t.Logf("a worker process's log:\n%s", log.buf.String())
		}
	})
	return p
}

// short makes the session of a dead member end soon.
func (r *rig) short() *rig {
	r.cfg.Input.SessionTimeout = duration(6 * time.Second) // the least that brokers allow by default
	return r
}

func TestKillLosesNothingAndDoublesLittle(t *testing.T) {
	fake := kafkatest.Fake(t)
	killTest(t, newRig(t, &fake.Cluster, 4))
}

// killTest kills a worker under load, twice, and lets another finish. Only records that
// were written and not yet committed as settled may be there twice.
func killTest(t *testing.T, r *rig) {
	const n = 60_000
	r.short().begin()
	r.produce(0, n, 100)
	r.cfg.InFlight.Records = 1000
	allowed := int64(0)
	for range 2 {
		before := sum(r.ends("out"))
		p := r.child("")
		r.eventually("it has written something", func() bool { return sum(r.ends("out")) > before+2000 })
		p.kill()
		allowed += sum(r.ends("out")) - allowed - r.committedAsSettled()
	}
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, true)
	doubled := sum(r.ends("out")) - n
	t.Logf("%d of %d records were doubled, %d were written and not committed at the kills", doubled, n, allowed)
	if doubled > allowed {
		t.Errorf("%d duplicates, want at most %d", doubled, allowed)
	}
}

// TestKilledWorkerIsSucceeded: a worker that takes the place of a killed one reads on,
// although the killed one's session is far from its end.
func TestKilledWorkerIsSucceeded(t *testing.T) {
	fake := kafkatest.Fake(t)
	r := newRig(t, &fake.Cluster, 4)
	const n = 20_000
	r.cfg.StateDir = t.TempDir()
	r.cfg.Input.SessionTimeout, r.cfg.DrainTimeout = duration(4*time.Minute), duration(4*time.Minute)
	r.produce(0, n, 100)
	p := r.child("")
	r.eventually("it has written something", func() bool { return sum(r.ends("out")) > 1000 })
	p.kill()
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, true)
}

// begin makes the group known to the broker, with offsets at the start.
func (r *rig) begin() {
	r.t.Helper()
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
}

// committedAsSettled is how many records the group's commits say are settled.
func (r *rig) committedAsSettled() (n int64) {
	r.t.Helper()
	for _, c := range r.cluster.GroupOffsets("group")["in"] {
		state, err := offsets.Decode(c.Metadata, c.Offset)
		if err != nil {
			r.t.Fatal(err)
		}
		n += c.Offset
		for _, settled := range state.Settled {
			n += settled.Next - settled.First
		}
	}
	return n
}

func sum(m map[int32]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}

func TestRecordThatCrashesTheProcessIsDeadLettered(t *testing.T) {
	for name, batches := range map[string]string{"one by one": "", "in batches": "yes"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(inBatches, batches)
			testRecordThatCrashesTheProcess(t)
		})
	}
}

func testRecordThatCrashesTheProcess(t *testing.T) {
	t.Helper()
	fake := kafkatest.Fake(t)
	r := newRig(t, &fake.Cluster, 6).short()
	const n, poison = 20_000, "7001"
	r.cfg.Failure.MaxAttempts = 1 // which says nothing about crashes
	r.begin()
	r.cfg.StateDir = t.TempDir()
	r.produce(0, n, 12)
	crashes := 0
	for {
		p := r.child(poison)
		finished := false
		r.eventually("it crashes or gets through", func() bool {
			select {
			case <-p.ended:
				return true
			default:
			}
			finished = r.committedAll()
			return finished
		})
		if finished {
			break
		}
		if crashes++; crashes > 8 {
			t.Fatal("the record crashes the worker for ever")
		}
	}
	// In normal reading, in windows of 256, 16 and one record, and twice alone.
	if crashes != 6 {
		t.Errorf("%d crashes, want 6", crashes)
	}
	got := r.values("out")
	if got[poison] != 0 {
		t.Error("the crashing record was written")
	}
	delete(got, poison)
	for i := range n {
		if v := strconv.Itoa(i); v != poison && got[v] == 0 {
			t.Fatalf("record %s is lost", v)
		}
	}
	letters := r.cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 1 || string(letters[0].Value) != poison || headers(letters[0])[failure.HeaderAttempts] != "2" {
		t.Errorf("dead letters: %d, want the one that crashes", len(letters))
	}
}

// committedAll reports whether the group's offsets are at the ends of "in".
func (r *rig) committedAll() bool {
	committed := r.cluster.GroupOffsets("group")["in"]
	for p, end := range r.ends("in") {
		if committed[p].Offset < end {
			return false
		}
	}
	return true
}
