package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// broker is an embedded broker for examples, which have no testing.T.
type broker struct {
	*kfake.Cluster
	client *kgo.Client
}

// startBroker starts a broker with the given topics, of one partition each.
func startBroker(topics ...string) *broker {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topics...))
	if err != nil {
		panic(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		panic(err)
	}
	return &broker{cluster, client}
}

// reader returns another client, for one topic: consume drops the records of other topics.
func (b *broker) reader(topic string) *broker {
	client, err := kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		panic(err)
	}
	return &broker{b.Cluster, client}
}

func (b *broker) Close() {
	b.client.Close()
	b.Cluster.Close()
}

// produce writes values to a topic.
func (b *broker) produce(topic string, values ...string) {
	for _, v := range values {
		rec := &kgo.Record{Topic: topic, Value: []byte(v)}
		if err := b.client.ProduceSync(context.Background(), rec).FirstErr(); err != nil {
			panic(err)
		}
	}
}

// consume waits for n values of a topic and returns them sorted.
func (b *broker) consume(topic string, n int) (values []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for len(values) < n && ctx.Err() == nil {
		b.client.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			if rec.Topic == topic {
				values = append(values, string(rec.Value))
			}
		})
	}
	slices.Sort(values)
	return values
}

// TestTheFirstProgramIsTheSameEverywhere: the guide and the package comment show the body
// of ExampleMain.
func TestTheFirstProgramIsTheSameEverywhere(t *testing.T) {
	body := func(path, prefix, function string) string {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(content), prefix+function+" {\n")
		body, _, ended := strings.Cut(rest, "\n"+prefix+"}\n")
		if !found || !ended {
			t.Fatalf("%s has no %s", path, function)
		}
		return strings.ReplaceAll("\n"+body, "\n"+prefix, "\n")
	}
	want := body("example_test.go", "", "func ExampleMain()")
	if got := body("doc.go", "//\t", "func main()"); got != want {
		t.Errorf("doc.go shows%s\nwant%s", got, want)
	}
	if got := body("../docs/go-sdk.md", "", "func main()"); got != want {
		t.Errorf("docs/go-sdk.md shows%s\nwant%s", got, want)
	}
}

const runMain = "RUN_EXAMPLE_MAIN"

// deferredRuns is what the program's deferred function writes.
const deferredRuns = "the deferred function has run"

// TestMain is the program of ExampleMain in the process that TestMainUntilSIGTERM
// starts.
func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		defer fmt.Fprintln(os.Stderr, deferredRuns)
		ExampleMain()
		return
	}
	os.Exit(m.Run())
}

// TestMainUntilSIGTERM: the program of ExampleMain reads its configuration file, works,
// and after a SIGTERM runs its deferred functions and ends with code 0.
func TestMainUntilSIGTERM(t *testing.T) {
	broker := startBroker("in", "out")
	defer broker.Close()
	broker.produce("in", "hello")
	path := filepath.Join(t.TempDir(), "worker.yaml")
	cfg := fmt.Sprintf("name: shout\nkafka: {bootstrapServers: [%q]}\ninput: {topic: in}\noutput: {topic: out}\ntelemetry: {listen: \"127.0.0.1:0\"}\n",
		broker.ListenAddrs()[0])
	if err := os.WriteFile(path, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), os.Args[0], "--config", path)
	program.Env = append(os.Environ(), runMain+"=1")
	var written bytes.Buffer
	program.Stderr = io.MultiWriter(os.Stderr, &written)
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if got := broker.consume("out", 1); !slices.Equal(got, []string{"HELLO"}) {
		t.Errorf("the program wrote %q, want HELLO", got)
	}
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err != nil {
		t.Errorf("the program ended with: %v", err)
	}
	if !strings.Contains(written.String(), deferredRuns) {
		t.Error("the program's deferred function did not run")
	}
}
