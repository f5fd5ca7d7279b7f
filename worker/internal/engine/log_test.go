package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// fails is a processor whose code panics in two places and fails otherwise.
func fails(_ context.Context, rec *worker.Record) ([]byte, error) {
	switch rec.Offset % 3 {
	case 0:
		panic("the first place")
	case 1:
		var none []int
		_ = none[rec.Offset]
	}
	return nil, errors.New("no good: " + string(rec.Value))
}

var leftOut = regexp.MustCompile(`kind="([^"]*)" lines=(\d+)`)

// told returns the number of lines of a message in the log, and the number of such lines
// that it says it left out.
func told(t *testing.T, log *testLog, message string) (written, omitted int) {
	t.Helper()
	for _, line := range log.lines("left out log lines") {
		if m := leftOut.FindStringSubmatch(line); m != nil && m[1] == message {
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			omitted += n
		}
	}
	return len(log.lines(fmt.Sprintf("msg=%q", message))), omitted
}

// TestFailuresAreLogged: the log has failures with their place. It does not drown in
// them, and counts those that it leaves out.
func TestFailuresAreLogged(t *testing.T) {
	for _, onExhausted := range []config.OnExhausted{config.ToDeadLetter, config.Drop} {
		t.Run(string(onExhausted), func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			const records, attempts = 300, 2
			r.produce(0, records, 1)
			w := r.start(worker.Map(fails), func(cfg *config.Config) {
				cfg.Failure.MaxAttempts, cfg.Failure.OnExhausted = attempts, onExhausted
			})
			r.eventually("all are exhausted", func() bool {
				totals := w.engine.Status().Totals
				return totals.RecordsDeadLettered+totals.RecordsDropped == records
			})
			w.drain()
			written, omitted := told(t, w.log, "attempt failed")
			if written+omitted != records*attempts {
				t.Errorf("%d lines and %d left out, want %d", written, omitted, records*attempts)
			}
			if written < 5 || written > 100 {
				t.Errorf("%d lines of failed attempts, want a few", written)
			}
			for _, want := range []string{"topic=in", "partition=0", "offset=", "attempts=1", "error="} {
				if len(w.log.lines(want)) == 0 {
					t.Errorf("no line has %s", want)
				}
			}
			stacks := w.log.lines("stack=")
			if len(stacks) != 2 {
				t.Errorf("%d stacks, want one of each place", len(stacks))
			}
			for _, line := range stacks {
				if !strings.Contains(line, "engine_test.fails") || !regexp.MustCompile(`at="?\S+log_test\.go:\d+`).MatchString(line) {
					t.Errorf("the line does not name the place: %s", line)
				}
			}
			if onExhausted == config.Drop {
				if written, omitted := told(t, w.log, "dropped a record"); written+omitted != records || written > 50 {
					t.Errorf("%d lines of dropped records and %d left out, want few and %d together", written, omitted, records)
				}
			}
		})
	}
}

func TestDebugLogsEachFailure(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.produce(0, 100, 1)
	w := r.start(worker.Map(fails), func(cfg *config.Config) {
		cfg.Failure.MaxAttempts = 1
		cfg.Telemetry.LogLevel = config.LogDebug
	})
	r.eventually("all are exhausted", func() bool { return w.engine.Status().Totals.RecordsDeadLettered == 100 })
	w.drain()
	if written, omitted := told(t, w.log, "attempt failed"); written != 100 || omitted > 0 {
		t.Errorf("%d lines, %d left out; want 100", written, omitted)
	}
}

// exposed returns the value of a metric.
func exposed(t *testing.T, m *telemetry.Metrics, series string) float64 {
	t.Helper()
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(answer.Body.String()) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("there is no %s in\n%s", series, answer.Body)
	return 0
}

func TestThrottlingIsNamed(t *testing.T) {
	r, fake := fakeRig(t, 1)
	r.produce(0, 10, 1)
	throttle(fake.Faults)
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantThrottled(t, w)
}

// TestApacheThrottlingIsNamed has quotas that are used up at once, and lifts
// each as soon as the worker has logged it.
func TestApacheThrottlingIsNamed(t *testing.T) {
	r, _ := apacheRig(t, 1)
	r.cfg.Name = "throttled"
	admin := kadm.NewClient(r.cluster.Client())
	quota := func(key string, bytesPerSecond float64, remove bool) {
		client := "millrace-throttled"
		done, err := admin.AlterClientQuotas(t.Context(), []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: "client-id", Name: &client}},
			Ops:    []kadm.AlterClientQuotaOp{{Key: key, Value: bytesPerSecond, Remove: remove}},
		}})
		if err != nil || done[0].Err != nil {
			t.Fatalf("alter the quota: %v, %+v", err, done)
		}
	}
	const fetching, writing = "consumer_byte_rate", "producer_byte_rate"
	quota(fetching, 5000, false)
	quota(writing, 20_000, false)
	for range 3 { // each is more than may be fetched in ten seconds
		r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())},
			&kgo.Record{Topic: "in", Value: make([]byte, 100_000)})
	}
	w := r.start(identity)
	r.eventually("fetches are throttled", func() bool { return len(w.log.lines("request=fetch")) > 0 })
	quota(fetching, 0, true)
	r.eventually("writes are throttled", func() bool { return len(w.log.lines("request=produce")) > 0 })
	quota(writing, 0, true)
	r.awaitSettled(w)
	w.drain()
	wantThrottled(t, w)
}

// wantThrottled checks that a worker has logged and counted throttled requests, and
// logged no failure.
func wantThrottled(t *testing.T, w *running) {
	t.Helper()
	for _, request := range []string{"fetch", "produce"} {
		lines := w.log.lines("request=" + request)
		if len(lines) == 0 || !strings.Contains(lines[0], `msg="throttled by the broker's quota"`) || !strings.Contains(lines[0], "for=") {
			t.Errorf("%q does not name throttled requests of %s", lines, request)
		}
		if s := exposed(t, w.metrics, `millrace_throttled_seconds_total{request="`+request+`"}`); s <= 0 {
			t.Errorf("%v s of throttled requests of %s", s, request)
		}
	}
	for _, trouble := range []string{"can't be fetched", "does not contain the partition"} {
		if lines := w.log.lines(trouble); len(lines) > 0 {
			t.Errorf("throttling is called a failure: %q", lines)
		}
	}
}

// throttle answers the first fetches and the first write as a broker does whose
// quotas are used up: a fetch without partitions, a write as usual.
func throttle(c *kfake.Cluster) {
	fetches := 0
	c.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if fetches++; fetches > 2 {
			return nil, nil, false
		}
		res := kreq.(*kmsg.FetchRequest).ResponseKind().(*kmsg.FetchResponse)
		res.ThrottleMillis = 50
		return res, nil, true
	})
	c.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		req := kreq.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		res.ThrottleMillis = 50
		for _, topic := range req.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic = topic.Topic
			for _, partition := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.ThrottlingQuotaExceeded.Code
				answer.Partitions = append(answer.Partitions, p)
			}
			res.Topics = append(res.Topics, answer)
		}
		return res, nil, true
	})
}

// TestSkippedOffsetsAreCounted reads a log with aborted transactions and their
// markers, and then goes on where another worker had settled more than it could
// commit below its watermark.
func TestSkippedOffsetsAreCounted(t *testing.T) {
	r, _ := fakeRig(t, 1)
	record := func(i int) *kgo.Record {
		return &kgo.Record{Topic: "in", Value: []byte(strconv.Itoa(i))}
	}
	r.cluster.ProduceTxn("aborted", false, record(-1), record(-2), record(-3))
	r.cluster.Produce(record(0))
	for i := 1; i < 20; i++ {
		r.cluster.Produce(record(i))
	}
	skipped := func(w *running, reason string) int {
		return int(exposed(t, w.metrics, `millrace_offsets_skipped_total{reason="`+reason+`",topic="in"}`))
	}
	release := make(chan struct{})
	stuck := recordMap(func(ctx context.Context, value string) error {
		if value != "5" {
			return nil
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	first := r.start(stuck, func(cfg *config.Config) { cfg.DrainTimeout = duration(time.Second) })
	r.eventually("all but one are settled", func() bool { return first.engine.Status().Totals.RecordsOut == 19 })
	if n := skipped(first, "NoRecord"); n != 4 {
		t.Errorf("%d offsets without records, want the three aborted ones and the marker", n)
	}
	first.stop()
	_ = first.wait() // it leaves one record behind
	second := r.start(identity)
	r.awaitSettled(second)
	if n := skipped(second, "SettledBefore"); n != 14 {
		t.Errorf("%d offsets that were settled before, want 14", n)
	}
	second.drain()
	close(release)
}

// recordMap copies records, after f.
func recordMap(f func(ctx context.Context, value string) error) worker.Map {
	return func(ctx context.Context, rec *worker.Record) ([]byte, error) {
		return rec.Value, f(ctx, string(rec.Value))
	}
}
