package produce

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// java runs Java's own clients and tools.
type java struct {
	t         testing.TB
	broker    *kafkatest.Broker
	classPath string
}

// newJava compiles the Java programs, or skips the test.
func newJava(t testing.TB, broker *kafkatest.Broker) *java {
	t.Helper()
	if _, err := exec.LookPath("javac"); err != nil {
		prerequisite.Missing(t, "needs Java's clients, and javac is missing (install a JDK of version 17 or newer)")
	}
	classes := t.TempDir()
	jars, err := exec.Command(filepath.Join("..", "..", "..", "..", "hack", "kafka.sh"), "tools").Output()
	if err != nil {
		prerequisite.Missing(t, "needs Kafka Streams, and Maven for the first fetch: hack/kafka.sh tools: %v", err)
	}
	j := &java{t, broker, classes + string(os.PathListSeparator) + filepath.Join(strings.TrimSpace(string(jars)), "*")}
	source := filepath.Join("testdata", "javapeer", "JavaPeer.java")
	if out, err := exec.Command("javac", "-cp", j.classPath, "-d", classes, source).CombinedOutput(); err != nil {
		t.Fatalf("compile %s: %v\n%s", source, err, out)
	}
	return j
}

func (j *java) command(args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{
		"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", j.classPath,
	}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

func (j *java) run(args ...string) string {
	j.t.Helper()
	out, err := j.command(args...).Output()
	if err != nil {
		j.t.Fatalf("java %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// read returns the beginnings of the values that a Java consumer with read_committed reads.
func (j *java) read(topic string) (values []string) {
	j.t.Helper()
	for line := range strings.Lines(j.run("JavaPeer", "read", j.broker.Addrs()[0], topic)) {
		_, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		value, _, _ = strings.Cut(value, "/")
		values = append(values, value)
	}
	return values
}

// stream starts a Kafka Streams application that copies a topic exactly once.
func (j *java) stream(from, to string) {
	j.t.Helper()
	cmd := j.command("JavaPeer", "stream", j.broker.Addrs()[0], from, to, j.t.TempDir())
	if _, err := cmd.StdinPipe(); err != nil { // it ends with its input
		j.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
}

// dump returns what kafka-dump-log says about the log of partition 0.
func (j *java) dump(topic string) string {
	j.t.Helper()
	return j.run("org.apache.kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log",
		"--files", filepath.Join(j.broker.LogDir(topic, 0), "00000000000000000000.log"))
}

// fetched returns the beginnings of the values that a Fetcher with read_committed reads in
// partition 0, up to the last stable offset.
func fetched(t *testing.T, broker *kafkatest.Broker, topic string) (values []string) {
	t.Helper()
	client := newTestClient(t, kafka.ClientConfig{BootstrapServers: broker.Addrs(), Topics: []string{topic}})
	f := fetch.New(client, fetch.Config{Topic: topic, Isolation: config.ReadCommitted})
	defer f.Close()
	end := broker.EndOffsets(topic, kgo.ReadCommitted())[0]
	f.Start(0, 0)
	timeout := time.After(testkit.Patience)
	var b batch.Batch
	for next := int64(0); next < end; {
		select {
		case s := <-f.Sets():
			f.Ask(s.Partition)
			for s.Err == nil && !s.Done() {
				if err := s.Next(&b, 512, 1<<20); err != nil {
					t.Fatal(err)
				}
				for _, rec := range b.Records {
					value, _, _ := strings.Cut(string(rec.Value), "/")
					values = append(values, value)
				}
				next = b.Next
			}
			b.Release()
			s.Release()
		case <-timeout:
			t.Fatalf("read up to %d, and not to %d", next, end)
		}
	}
	return values
}

// TestJavasTransactionsAreRead: of Java's transactions the committed ones are read.
func TestJavasTransactionsAreRead(t *testing.T) {
	broker := kafkatest.Shared(t)
	j := newJava(t, broker)
	name := testkit.UniqueName("produce-javas")
	broker.CreateTopic(name, 1, nil)
	j.run("JavaPeer", "transact", broker.Addrs()[0], name)
	want := []string{"first0", "first1", "first2", "second0", "second1", "second2"}
	if got := fetched(t, broker, name); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// TestJavaReadsTransactions: Java's consumer and a Kafka Streams application read the
// committed transactions and none of the records of an aborted one, in each codec, and
// what Streams writes exactly once is read here. Kafka's own tool finds all batches valid,
// and those of transactions to be so.
func TestJavaReadsTransactions(t *testing.T) {
	broker := kafkatest.Apache(t)
	broker.CreateTopic("out", 1, nil)
	broker.CreateTopic("copies", 1, nil)
	j := newJava(t, broker)
	j.stream("out", "copies")
	var want []string
	for i, codec := range []config.Compression{config.None, config.Gzip, config.Snappy, config.LZ4, config.Zstd} {
		w := newTransacting(t, &broker.Cluster, "out", Config{Compression: codec})
		w.id, w.next = fmt.Sprint("tx-", codec), int32(100*i)
		w.begin()
		for range 2 { // transactions
			for range 3 {
				want = append(want, fmt.Sprint(w.write(0, 500)))
			}
			w.commit()
		}
		w.write(0, 500)
		w.flush()
		if err := w.session.End(writeContext(t), false); err != nil {
			t.Fatal(err)
		}
	}
	if got := j.read("out"); !slices.Equal(got, want) {
		t.Errorf("a Java consumer reads %v, want %v", got, want)
	}
	broker.Eventually("Streams copies all", func() bool {
		return len(broker.ConsumeAll("copies", kgo.ReadCommitted())) >= len(want)
	})
	if got := fetched(t, broker, "copies"); !slices.Equal(got, want) {
		t.Errorf("of what Streams copied %v is read, want %v", got, want)
	}
	checkDump(t, j.dump("out"), map[string]int{
		// The first batches of transactions. A slow machine writes several in each.
		`baseSequence: 0 .*isTransactional: true isControl: false .*isvalid: true`: 15,
		`baseSequence: 0 .*compresscodec: (gzip|snappy|lz4|zstd) .*isvalid: true`:  12,
		`isTransactional: false`: 0,
		`isvalid: false`:         0,
		`payload: \d+/x{500}`:    35,
		`endTxnMarker: COMMIT`:   10,
		`endTxnMarker: ABORT`:    5,
	})
}

// TestJavaDumpsWhatIsWritten: Kafka's own tool reads the log of a Producer without
// transactions.
func TestJavaDumpsWhatIsWritten(t *testing.T) {
	broker := kafkatest.Shared(t)
	j := newJava(t, broker)
	name := testkit.UniqueName("produce-dumped")
	broker.CreateTopic(name, 1, nil)
	for i, codec := range []config.Compression{config.None, config.Gzip, config.Snappy, config.LZ4, config.Zstd} {
		w := newWritingTo(t, name, broker.Addrs(), Config{Compression: codec, Linger: 10 * time.Millisecond})
		w.next = int32(100 * i)
		for range 3 {
			w.write(0, 500)
		}
		w.flush()
	}
	checkDump(t, j.dump(name), map[string]int{
		`isvalid: false`:        0,
		`isTransactional: true`: 0,
		`payload: \d+/x{500}`:   15,
		`lastSequence: 2 producerId: \d+ producerEpoch: 0 `: 5, // batches
	})
}

// checkDump counts the lines of a dump that match patterns.
func checkDump(t *testing.T, dump string, want map[string]int) {
	t.Helper()
	for pattern, want := range want {
		matches := regexp.MustCompile(pattern)
		got := 0
		for line := range strings.Lines(dump) {
			if matches.MatchString(line) {
				got++
			}
		}
		if got != want {
			t.Errorf("%d lines of the dump match %q, want %d", got, pattern, want)
		}
	}
	if t.Failed() {
		t.Logf("the dump:\n%s", dump)
	}
}
