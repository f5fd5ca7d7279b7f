package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// footprint holds a worker process's measurements of itself.
type footprint struct {
	Records, Allocations int64
	PeakBytes            int64
}

// copyAll emits records as they are. It allocates nothing.
type copyAll struct{}

func (copyAll) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.EmitValue(rec.Value)
	return nil
}

// measure runs a worker until it has written total records, and prints its
// footprint. Allocations count from a tenth on, when pools are filled.
func measure(cfg config.Config, total int64) {
	code, err := userCode(copyAll{})
	if err != nil {
		panic(err)
	}
	e := engine.New(cfg, code, telemetry.NewMetrics("in"), logr.Discard())
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	var before, after runtime.MemStats
	from := awaitOut(e, total/10)
	runtime.ReadMemStats(&before)
	to := awaitOut(e, total)
	runtime.ReadMemStats(&after)
	stop()
	if err := <-ended; err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(footprint{
		Records: to - from, Allocations: int64(after.Mallocs - before.Mallocs), PeakBytes: peakMemory(),
	})
}

// peakMemory returns the most memory that this process has had, 0 where the kernel
// does not say. The resource usage would count its parent's memory too.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	_, _ = fmt.Sscan(rest, &kb) // 0 if it is not there
	return kb << 10
}

func awaitOut(e *engine.Engine, n int64) int64 {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if out := e.Status().Totals.RecordsOut; out >= n {
			return out
		}
	}
	return 0
}

// TestFootprint measures a worker at the default bounds in a separate process: no
// allocation for each record from fetching to acknowledgement, and less than 200 MB of
// memory at its peak.
func TestFootprint(t *testing.T) {
	const n = 300_000
	fake := kafkatest.Fake(t)
	r := newRig(t, &fake.Cluster, 4)
	value := make([]byte, 100)
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{
			Topic: "in", Partition: int32(i % 4), Key: strconv.AppendInt(nil, int64(i%1000), 10), Value: value,
			Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte("00-1")}},
		}
	}
	r.cluster.ProduceWith([]kgo.Opt{
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, records...)
	for _, ordering := range []config.Ordering{config.Unordered, config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			cfg := r.cfg
			cfg.Ordering, cfg.Input.GroupID = ordering, string(ordering)
			cfg.InFlight = config.InFlight{Records: 10_000, Bytes: 64 << 20}
			f := footprintOf(t, cfg, n)
			each := float64(f.Allocations) / float64(f.Records)
			t.Logf("%.4f allocations a record, %d MB at the peak", each, f.PeakBytes>>20)
			limit := 0.05 // those of chunks, requests and metrics
			if raceEnabled {
				limit = 0.5 // the race detector has pools forget
			}
			if each > limit {
				t.Errorf("%.3f allocations a record", each)
			}
			if f.PeakBytes > 200<<20 && !raceEnabled {
				t.Errorf("%d MB of memory", f.PeakBytes>>20)
			}
		})
	}
}

func footprintOf(t *testing.T, cfg config.Config, n int64) (f footprint) {
	t.Helper()
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childConfig+"="+string(encoded), measureRecords+"="+strconv.FormatInt(n, 10))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the measured worker: %v", err)
	}
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return f
}
