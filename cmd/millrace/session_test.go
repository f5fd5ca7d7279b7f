package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// outcome holds the outputs and the error of `millrace run`.
type outcome struct {
	stdout, stderr string
	err            error
	summary        summary
	lines          []string // in the output file, sorted
}

// millraceRun runs the command with --summary and --output-file.
func millraceRun(ctx context.Context, t *testing.T, abort <-chan struct{}, args ...string) outcome {
	t.Helper()
	dir := t.TempDir()
	summaryFile, outputFile := filepath.Join(dir, "summary.json"), filepath.Join(dir, "out.jsonl")
	var o outcome
	var stdout bytes.Buffer
	stderr := newWatchedOutput()
	root := newRootCommand(abort)
	root.SetArgs(slices.Concat([]string{"run", "--summary", summaryFile, "--output-file", outputFile}, args))
	root.SetOut(&stdout)
	root.SetErr(stderr)
	o.err = root.ExecuteContext(ctx)
	o.stdout, o.stderr = stdout.String(), stderr.String()
	if content, err := os.ReadFile(summaryFile); err == nil {
		if err := json.Unmarshal(content, &o.summary); err != nil {
			t.Fatalf("summary %q: %v", content, err)
		}
	}
	if content, err := os.ReadFile(outputFile); err == nil && len(content) > 0 {
		o.lines = strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
		slices.Sort(o.lines)
	}
	t.Logf("stdout:\n%s\nstderr:\n%s", o.stdout, o.stderr)
	return o
}

// baseManifest is a StreamProcessor from in to out without a processor.
const baseManifest = `apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: sample}
spec:
  kafka: {bootstrapServers: [kafka:9092]}
  input: {topic: in}
  output: {topic: out}
`

// writeManifest writes a StreamProcessor from in to out with the given lines of
// its spec.
func writeManifest(t *testing.T, spec string) string {
	t.Helper()
	return writeFile(t, "manifest.yaml", []byte(baseManifest+spec))
}

const copying = "  processor: {cel: {}}\n"

func numbered(n int) (content []byte, sorted []string) {
	for i := range n {
		line := "record " + strconv.Itoa(i)
		content = append(append(content, line...), '\n')
		sorted = append(sorted, line)
	}
	slices.Sort(sorted)
	return content, sorted
}

func TestRunCopiesAFile(t *testing.T) {
	for _, replicas := range []string{"1", "3"} {
		t.Run(replicas+" replicas", func(t *testing.T) {
			content, want := numbered(20_000)
			o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in.jsonl", content),
				"--until-drained", "--replicas", replicas)
			if o.err != nil {
				t.Fatal(o.err)
			}
			if !slices.Equal(o.lines, want) {
				t.Errorf("%d lines written, want the %d of the input", len(o.lines), len(want))
			}
			if s := o.summary; s.RecordsIn != 20_000 || s.RecordsOut != 20_000 || s.RecordsFiltered+s.RecordsDeadLettered+s.RecordsDropped != 0 || s.Seconds <= 0 {
				t.Errorf("summary %+v", s)
			}
		})
	}
}

// TestRunFeedsAWorkerThatStartsAtTheEnd: a worker with startOffset Latest must have
// found the topic's end before the command feeds the input.
func TestRunFeedsAWorkerThatStartsAtTheEnd(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("from before")})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "in", Err: kerr.NotLeaderForPartition, Count: 3})
	content, want := numbered(500)
	manifest := strings.Replace(baseManifest+copying, "{topic: in}", "{topic: in, startOffset: Latest}", 1)
	o := millraceRun(testContext(t), t, nil, "-f", writeFile(t, "latest.yaml", []byte(manifest)), "--brokers", brokers,
		"--input-file", writeFile(t, "in.jsonl", content), "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, want) {
		t.Errorf("%d lines written, want %d; error %v", len(o.lines), len(want), o.err)
	}
}

// realCluster starts the cluster for --brokers.
func realCluster(t *testing.T, opts ...kfake.Opt) (*kfake.Cluster, string) {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, strings.Join(c.ListenAddrs(), ",")
}

func producer(t *testing.T, brokers string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func mustProduce(t *testing.T, client *kgo.Client, records ...*kgo.Record) {
	t.Helper()
	if err := client.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// TestUntilDrainedWaitsForSlowRecords: a run is drained only when all records that the
// topic held are settled.
func TestUntilDrainedWaitsForSlowRecords(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"))
	client := producer(t, brokers)
	mustProduce(t, client, &kgo.Record{Topic: "in", Partition: 0, Value: []byte("a")}, &kgo.Record{Topic: "in", Partition: 1, Value: []byte("b")})
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "in", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition, Count: 4})
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"a", "b"}) {
		t.Errorf("lines %q, error %v", o.lines, o.err)
	}
}

// TestUntilDrainedPassesMarkersAtTheEnd: a run is drained also if the topic ends in
// offsets without a record. It does not process aborted records.
func TestUntilDrainedPassesMarkersAtTheEnd(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"))
	client := producer(t, brokers, kgo.TransactionalID("t"))
	for _, turn := range []struct {
		partition int32
		value     string
		end       kgo.TransactionEndTry
	}{{0, "kept", kgo.TryCommit}, {0, "aborted", kgo.TryAbort}, {1, "aborted", kgo.TryAbort}} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		mustProduce(t, client, &kgo.Record{Topic: "in", Partition: turn.partition, Value: []byte(turn.value)})
		if err := client.EndTransaction(testContext(t), turn.end); err != nil {
			t.Fatal(err)
		}
	}
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"kept"}) {
		t.Errorf("lines %q, want only the committed one; error %v", o.lines, o.err)
	}
}

func TestUntilDrainedPassesACompactedTail(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "out"))
	if err := cluster.CreateTopic("in", 1, map[string]string{"cleanup.policy": "compact", "delete.retention.ms": "0"}); err != nil {
		t.Fatal(err)
	}
	client := producer(t, brokers)
	for _, value := range []string{"first", "second", "third"} {
		mustProduce(t, client, &kgo.Record{Topic: "in", Key: []byte("k"), Value: []byte(value)})
	}
	mustProduce(t, client, &kgo.Record{Topic: "in", Key: []byte("k")})
	cluster.Compact()
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained")
	// The tombstone becomes an empty line.
	if o.err != nil || len(o.lines) == 0 || len(o.lines) > 2 {
		t.Errorf("lines %q; error %v", o.lines, o.err)
	}
}

// TestRunOnARealCluster: the output file does not get results of earlier runs, and a
// second run does not read records again.
func TestRunOnARealCluster(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(4, "in", "out"))
	client := producer(t, brokers)
	mustProduce(t, client, &kgo.Record{Topic: "out", Value: []byte("of an earlier run")})
	mustProduce(t, client, &kgo.Record{Topic: "in", Partition: 2, Value: []byte("waiting")}, &kgo.Record{Topic: "in", Partition: 3, Value: []byte("")}, &kgo.Record{Topic: "in", Partition: 3})
	args := []string{"-f", writeManifest(t, copying), "--brokers", brokers, "--until-drained"}
	if o := millraceRun(testContext(t), t, nil, args...); o.err != nil || !slices.Equal(o.lines, []string{"", "", "waiting"}) {
		t.Errorf("first run: lines %q, error %v", o.lines, o.err)
	}
	if o := millraceRun(testContext(t), t, nil, args...); o.err != nil || o.summary.RecordsIn != 0 {
		t.Errorf("second run read %d records that were committed; error %v", o.summary.RecordsIn, o.err)
	}
}

// interruptOnOutput runs the command on a cluster and interrupts it when the worker
// writes its first results: once with patience, twice without.
func interruptOnOutput(t *testing.T, cluster *kfake.Cluster, patience bool, args ...string) outcome {
	t.Helper()
	ctx, interrupt := context.WithCancel(testContext(t))
	defer interrupt()
	abort := make(chan struct{})
	written := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Count: -1, Observe: true})
	go func() {
		if written.Wait(ctx, 1) == nil {
			interrupt()
			if !patience {
				close(abort)
			}
		}
	}()
	return millraceRun(ctx, t, abort, append([]string{"--brokers", strings.Join(cluster.ListenAddrs(), ",")}, args...)...)
}

func TestInterruptDrains(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	client := producer(t, brokers)
	for i := range 100 {
		mustProduce(t, client, &kgo.Record{Topic: "in", Value: fmt.Append(nil, i)})
	}
	o := interruptOnOutput(t, cluster, true, "-f", writeManifest(t, copying))
	if o.err != nil {
		t.Fatal(o.err)
	}
	committed := cluster.GroupInfo("millrace-default.sample").Commits["in"][0].Offset
	if n := int64(len(o.lines)); n == 0 || n != committed || n != o.summary.RecordsOut {
		t.Errorf("%d lines, %d in the summary, committed up to %d: want three equal numbers", n, o.summary.RecordsOut, committed)
	}
}

// stuck is a processor that keeps failing on the value "bad" for longer than any test
// takes.
const stuck = `  processor: {cel: {filter: 'value == b"bad" ? bool(string(value)) : true'}}
  failure: {maxAttempts: 100, backoff: {initial: 1h, max: 1h}, onExhausted: Drop}
`

func stuckCluster(t *testing.T) *kfake.Cluster {
	t.Helper()
	cluster, brokers := realCluster(t, kfake.SeedTopics(2, "in", "out"))
	mustProduce(t, producer(t, brokers),
		&kgo.Record{Topic: "in", Partition: 0, Value: []byte("bad")}, &kgo.Record{Topic: "in", Partition: 1, Value: []byte("good")})
	return cluster
}

func TestInterruptBeforeTheEndIsAnError(t *testing.T) {
	o := interruptOnOutput(t, stuckCluster(t), true, "-f", writeManifest(t, stuck+"  drainTimeout: 1s\n"), "--until-drained")
	if !errors.Is(o.err, errInterrupted) || !slices.Equal(o.lines, []string{"good"}) {
		t.Errorf("lines %q, error %v, want %v", o.lines, o.err, errInterrupted)
	}
}

func TestSecondInterruptStopsAtOnce(t *testing.T) {
	o := interruptOnOutput(t, stuckCluster(t), false, "-f", writeManifest(t, stuck+"  drainTimeout: 10m\n"))
	if !errors.Is(o.err, errInterrupted) {
		t.Errorf("error %v, want %v", o.err, errInterrupted)
	}
}
