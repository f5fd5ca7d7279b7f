package lines_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/lines"
)

// TestAProgramThatNeverAnswers: each of its records has its attempts and becomes a dead letter,
// which says why, however often the program has to be started again. So does the status.
func TestAProgramThatNeverAnswers(t *testing.T) {
	const n, attempts = 2, 2
	cluster := kafkatest.Fake(t)
	for _, topic := range []string{"in", "dlq"} {
		cluster.CreateTopic(topic, 1, nil)
	}
	for i := range n {
		cluster.Produce(&kgo.Record{Topic: "in", Key: fmt.Append(nil, i), Value: fmt.Append(nil, i)})
	}
	ms := func(n int) config.Duration { return config.Duration{Duration: time.Duration(n) * time.Millisecond} }
	cfg := config.Config{
		Name: "test", Kafka: config.Kafka{BootstrapServers: cluster.Addrs()},
		Input:    config.Input{Topic: "in", GroupID: "group", StartOffset: config.Earliest},
		Ordering: config.Key, Concurrency: 2,
		Failure: config.Failure{
			MaxAttempts: attempts, Timeout: ms(200), Backoff: config.Backoff{Initial: ms(1), Max: ms(20)},
			OnExhausted: config.ToDeadLetter, DeadLetter: config.DeadLetter{Topic: "dlq"},
		},
		DrainTimeout: ms(1000), Telemetry: config.Telemetry{Listen: "127.0.0.1:0"},
	}
	socket := filepath.Join(t.TempDir(), "s")
	ctx, stop := context.WithCancel(t.Context())
	processors := make(chan *sidecar.Processor, 1)
	ended := make(chan error, 2)
	go func() {
		ended <- worker.RunWith(ctx, cfg, func(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
			p, err := sidecar.Listen(sidecar.Options{Socket: socket, Worker: setup.Config, Log: setup.Log, Batch: sidecar.Batch{MaxRecords: 8}})
			if err != nil {
				return nil, err
			}
			processors <- p
			return worker.Batch(p), p.Await(ctx)
		}, worker.WithLogger(testr.New(t)))
	}()
	go func() {
		ended <- lines.Run(ctx, lines.Options{Socket: socket, Processes: 1, Command: []string{"sh", "-c", "exec cat >/dev/null"}, Output: t.Output()})
	}()
	var letters []*kgo.Record
	cluster.Eventually("each record is a dead letter", func() bool {
		letters = cluster.ConsumeAll("dlq", kgo.ReadCommitted())
		return len(letters) >= n
	})
	status := (<-processors).Processes()
	stop()
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if len(letters) != n {
		t.Errorf("%d records have %d dead letters", n, len(letters))
	}
	const why = "has answered nothing since it connected: with adapter lines, a program must write one line for each line that it gets"
	for _, letter := range letters {
		headers := map[string]string{}
		for _, h := range letter.Headers {
			headers[h.Key] = string(h.Value)
		}
		if headers["millrace-attempts"] != fmt.Sprint(attempts) || !strings.Contains(headers["millrace-error"], why) {
			t.Errorf("the dead letter of %s has the headers %q", letter.Value, headers)
		}
	}
	if status.FailedRecently < 3 || !strings.Contains(status.LastError, why) {
		t.Errorf("the status is %+v", status)
	}
}
