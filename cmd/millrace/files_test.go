package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// embedded starts a broker as a run without --brokers does.
func embedded(t *testing.T) *cluster {
	t.Helper()
	cfg := config.Config{
		Input: config.Input{Topic: "in"}, Output: config.Output{Topic: "out"},
		Failure: config.Failure{DeadLetter: config.DeadLetter{Topic: "dlq"}},
	}
	c, err := embedding{created: func(string) {}}.clusters(cfg)
	if err == nil {
		err = c.connect(testContext(t), cfg, testr.New(t))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.input
}

// openFile opens a file of records.
func openFile(t *testing.T, path, format string) recordReader {
	t.Helper()
	records, err := openRecords(path, format)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = records.Close() })
	return records
}

// collect starts to collect the values of a topic.
func collect(ctx context.Context, c *cluster, topic, path string) (*collector, error) {
	return startCollector(ctx, collection{cluster: c, topic: topic, path: path, format: formatOf(formatLines)}, io.Discard)
}

func produce(t *testing.T, c *cluster, records ...*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(append(c.kgoOptions(), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestFeedAndCollectAFile(t *testing.T) {
	c, ctx := embedded(t), testContext(t)
	produce(t, c, &kgo.Record{Topic: "in", Partition: 3, Value: []byte("of an earlier run")})
	path := filepath.Join(t.TempDir(), "out.jsonl")
	col, err := collect(ctx, c, "in", path)
	if err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	for i := range 30_000 {
		fmt.Fprintf(&content, "line %d\n", i)
	}
	content.WriteString("\n\xff\x00")
	f := &feeder{records: openFile(t, writeFile(t, "in.jsonl", content.Bytes()), formatLines), topic: "in"}
	if err := f.run(ctx, c); err != nil {
		t.Fatal(err)
	}
	if err := col.finish(ctx); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSuffix(string(written), "\n"), "\n")
	want := strings.Split(content.String(), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || f.fed.Load() != 30_002 {
		t.Errorf("%d lines collected, %d fed, want 30002 of both and the same", len(got), f.fed.Load())
	}
}

// TestCollectorIsCompleteWhenItFinishes: finish waits for records that the broker does
// not return at once.
func TestCollectorIsCompleteWhenItFinishes(t *testing.T) {
	c, ctx := embedded(t), testContext(t)
	path := filepath.Join(t.TempDir(), "out.jsonl")
	col, err := collect(ctx, c, "out", path)
	if err != nil {
		t.Fatal(err)
	}
	refused := c.embedded.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.NotLeaderForPartition, Count: -1})
	produce(t, c, &kgo.Record{Topic: "out", Partition: 1, Value: []byte("late")})
	finished := make(chan error, 1)
	go func() { finished <- col.finish(ctx) }()
	// The collector goes on asking, because it knows that the topic holds more.
	if err := refused.Wait(ctx, refused.Hits()+2); err != nil {
		t.Fatal(err)
	}
	refused.Remove()
	if err := <-finished; err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "late\n" {
		t.Errorf("collected %q (%v), want %q", got, err, "late\n")
	}
}

// TestFeedNamesTheLineThatIsTooLarge: a line that the broker refuses ends the feeding
// with an error that names the line.
func TestFeedNamesTheLineThatIsTooLarge(t *testing.T) {
	c := embedded(t)
	content := slices.Concat([]byte("small\n"), bytes.Repeat([]byte("x"), 3<<20), []byte("\nsmall\n"))
	f := &feeder{records: openFile(t, writeFile(t, "in.jsonl", content), formatLines), topic: "in"}
	err := f.run(testContext(t), c)
	if err == nil || !strings.Contains(err.Error(), "line 2 of ") || !strings.Contains(err.Error(), `1048588 bytes, the most that topic "in" takes (max.message.bytes)`) {
		t.Errorf("error %v does not name line 2 and the limit", err)
	}
}

// TestCollectorPassesTransactions: the collector does not wait for records in place of
// the transaction markers at the topic's end, and leaves out aborted records.
func TestCollectorPassesTransactions(t *testing.T) {
	c, ctx := embedded(t), testContext(t)
	path := filepath.Join(t.TempDir(), "out.jsonl")
	col, err := collect(ctx, c, "out", path)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(append(c.kgoOptions(), kgo.TransactionalID("t"), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, turn := range []struct {
		value string
		end   kgo.TransactionEndTry
	}{{"kept", kgo.TryCommit}, {"aborted", kgo.TryAbort}} {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: "out", Partition: 1, Value: []byte(turn.value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(ctx, turn.end); err != nil {
			t.Fatal(err)
		}
	}
	if err := col.finish(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "kept\n" {
		t.Errorf("collected %q (%v), want %q", got, err, "kept\n")
	}
}

func TestDeadLettersOfThisRun(t *testing.T) {
	c, ctx := embedded(t), testContext(t)
	letter := func(reason string) *kgo.Record {
		return &kgo.Record{Topic: "dlq", Headers: []kgo.RecordHeader{
			{Key: worker.HeaderTopic, Value: []byte("in")},
			{Key: worker.HeaderPartition, Value: []byte("3")},
			{Key: worker.HeaderOffset, Value: []byte("17")},
			{Key: worker.HeaderError, Value: []byte(reason)},
		}}
	}
	produce(t, c, letter("of an earlier run"))
	starts, err := c.deadLetterStarts(ctx, "dlq")
	if err != nil {
		t.Fatal(err)
	}
	produce(t, c, letter("no such\n field"), letter("another"))
	letters, err := c.deadLetters(ctx, "dlq", starts, 2)
	if err != nil {
		t.Fatal(err)
	}
	got := listDeadLetters("dlq", letters)
	want := "\nThe first dead letters in topic dlq:\n" +
		"  topic in partition 3 offset 17: no such field\n" +
		"  topic in partition 3 offset 17: another\n"
	if got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	// The reason of a program's failure stands behind its name and what it was doing.
	for length, want := range map[int]int{200: 200, 300: 240} {
		if got := len([]rune(oneLine(strings.Repeat("x", length)))); got != want {
			t.Errorf("an error of %d characters has %d in the list, want %d", length, got, want)
		}
	}
}
