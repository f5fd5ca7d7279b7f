package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestRecordsKeepTheirPartsFromFileToFile: key, headers, timestamp, partition and null.
func TestRecordsKeepTheirPartsFromFileToFile(t *testing.T) {
	in := `{"partition":5,"timestamp":"2023-11-14T22:13:20.123Z","headers":[{"key":"a","value":"1"}],"key":"k","value":"v"}
{"partition":2,"timestamp":1700000000124,"key":null,"value":null}
{"partition":5,"timestamp":1700000000125,"keyBase64":"/w==","value":{"a": 1}}
`
	want := []string{
		`{"topic":"out","partition":P,"offset":O,"timestamp":"2023-11-14T22:13:20.123Z","headers":[{"key":"a","value":"1"}],"key":"k","value":"v"}`,
		`{"topic":"out","partition":P,"offset":O,"timestamp":"2023-11-14T22:13:20.124Z","key":null,"value":null}`,
		`{"topic":"out","partition":P,"offset":O,"timestamp":"2023-11-14T22:13:20.125Z","keyBase64":"/w==","value":"{\"a\": 1}"}`,
	}
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in.jsonl", []byte(in)),
		"--input-format", "json", "--output-format", "json", "--until-drained")
	if o.err != nil {
		t.Fatal(o.err)
	}
	place := regexp.MustCompile(`"partition":\d+,"offset":\d+`)
	for i := range o.lines {
		o.lines[i] = place.ReplaceAllString(o.lines[i], `"partition":P,"offset":O`)
	}
	slices.Sort(o.lines)
	slices.Sort(want)
	if !slices.Equal(o.lines, want) {
		t.Errorf("written\n%s\nwant\n%s", strings.Join(o.lines, "\n"), strings.Join(want, "\n"))
	}
	// The processor sees the partition that the file names.
	o = millraceRun(testContext(t), t, nil, "-f", writeManifest(t, "  processor: {cel: {value: 'string(partition)'}}\n"),
		"--input-file", writeFile(t, "in.jsonl", []byte(in)), "--input-format", "json", "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"2", "5", "5"}) {
		t.Errorf("partitions %q, error %v", o.lines, o.err)
	}
}

// TestRecordsGoThroughFilesOfEachFormat: what one run writes, compressed, the next one reads.
func TestRecordsGoThroughFilesOfEachFormat(t *testing.T) {
	in := `{"timestamp":1700000000123,"headers":[{"key":"a","value":"1"},{"key":"a","value":null}],"key":"k\"1\",","value":"a\r\n\"b\",\rc\n"}
{"timestamp":1700000000124,"key":null,"value":null}
{"timestamp":1700000000125,"keyBase64":"/w==","value":""}
`
	want := []string{
		`"timestamp":"2023-11-14T22:13:20.123Z","headers":[{"key":"a","value":"1"},{"key":"a","value":null}],"key":"k\"1\",","value":"a\r\n\"b\",\rc\n"}`,
		`"timestamp":"2023-11-14T22:13:20.124Z","key":null,"value":null}`,
		`"timestamp":"2023-11-14T22:13:20.125Z","keyBase64":"/w==","value":""}`,
	}
	for _, name := range []string{"out.csv.gz", "out.csv.zst", "out.kcat.zst", "out.json.gz"} {
		t.Run(name, func(t *testing.T) {
			format, path := strings.Split(name, ".")[1], filepath.Join(t.TempDir(), name)
			o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in", []byte(in)),
				"--input-format", "json", "--until-drained", "--output-file", path, "--output-format", format)
			if o.err != nil {
				t.Fatal(o.err)
			}
			o = millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", path, "--input-format", format,
				"--until-drained", "--output-format", "json")
			for i, line := range o.lines {
				o.lines[i] = line[strings.Index(line, `"timestamp"`):]
			}
			slices.Sort(o.lines)
			if o.err != nil || !slices.Equal(o.lines, want) {
				t.Errorf("written\n%s\nwant\n%s\nerror %v", strings.Join(o.lines, "\n"), strings.Join(want, "\n"), o.err)
			}
		})
	}
}

// TestFilesAreCompressed: by the ends of their names, and both ways.
func TestFilesAreCompressed(t *testing.T) {
	for _, extension := range []string{".gz", ".zst"} {
		path := filepath.Join(t.TempDir(), "out.txt"+extension)
		content, want := numbered(5000)
		o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in", content),
			"--until-drained", "--output-file", path)
		if o.err != nil {
			t.Fatal(o.err)
		}
		stored, err := os.Stat(path)
		if err != nil || stored.Size() > int64(len(content))/2 {
			t.Errorf("%s: %d bytes, %v", extension, stored.Size(), err)
		}
		got := readLines(t, path)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d lines, want %d", extension, len(got), len(want))
		}
	}
}

// TestStandardInput: it is decompressed by its first bytes.
func TestStandardInput(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := []byte("a\nb\n")
	for name, content := range map[string][]byte{"plain": plain, "gzip": gzipped(t, plain), "zstd": encoder.EncodeAll(plain, nil)} {
		t.Run(name, func(t *testing.T) {
			file, err := os.Open(writeFile(t, "in", content))
			if err != nil {
				t.Fatal(err)
			}
			defer func(before *os.File) { os.Stdin = before }(os.Stdin)
			os.Stdin = file
			defer func() { _ = file.Close() }()
			o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", "-", "--until-drained")
			if o.err != nil || !slices.Equal(o.lines, []string{"a", "b"}) {
				t.Errorf("%q written, error %v", o.lines, o.err)
			}
		})
	}
}

// TestLinesUpToTheTopicsLimit: max.message.bytes of the topic counts, and no default.
func TestLinesUpToTheTopicsLimit(t *testing.T) {
	cluster, brokers := realCluster(t)
	for _, topic := range []string{"in", "out"} {
		if err := cluster.CreateTopic(topic, 1, map[string]string{"max.message.bytes": "5000000"}); err != nil {
			t.Fatal(err)
		}
	}
	line := bytes.Repeat([]byte("x"), 4_900_000)
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--brokers", brokers,
		"--input-file", writeFile(t, "in", append(line, '\n')), "--until-drained")
	if o.err != nil || len(o.lines) != 1 || len(o.lines[0]) != len(line) {
		t.Errorf("%d lines, error %v", len(o.lines), o.err)
	}
}

const failing = `  failure: {maxAttempts: 1, deadLetter: {topic: dlq}}
  processor: {cel: {filter: 'string(value) == "bad" ? bool(string(value)) : true'}}
`

// TestDeadLettersAreCollected: with their headers.
func TestDeadLettersAreCollected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dead.jsonl")
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, failing), "--input-file", writeFile(t, "in", []byte("a\nbad\n")),
		"--until-drained", "--dead-letter-file", path, "--output-format", "json")
	if o.err != nil || len(o.lines) != 1 {
		t.Errorf("%q written, error %v", o.lines, o.err)
	}
	letters := readRecords(t, openFile(t, path, formatJSON))
	if len(letters) != 1 || string(letters[0].Value) != "bad" || len(letters[0].Headers) == 0 {
		t.Errorf("dead letters: %+v", letters)
	}
	if !strings.Contains(o.stdout, "The first dead letters in topic dlq:") || !strings.Contains(o.stdout, "to topic dlq, collected in "+path) {
		t.Errorf("stdout %q", o.stdout)
	}
}

func TestLimit(t *testing.T) {
	content, _ := numbered(100)
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in", content), "--limit", "7")
	if o.err != nil || o.summary.RecordsIn != 7 || len(o.lines) != 7 {
		t.Errorf("%d records read, %d written, error %v", o.summary.RecordsIn, len(o.lines), o.err)
	}
}

// TestFromBeginning: a new group reads everything again and is gone afterwards; the
// manifest's group stays where it is.
func TestFromBeginning(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(1, "in", "out"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte("a")}, &kgo.Record{Topic: "in", Value: []byte("b")})
	latest := strings.Replace(baseManifest+copying, "{topic: in}", "{topic: in, startOffset: Latest}", 1)
	args := []string{"-f", writeFile(t, "m.yaml", []byte(latest)), "--brokers", brokers, "--until-drained"}
	if o := millraceRun(testContext(t), t, nil, args...); o.err != nil || o.summary.RecordsIn != 0 {
		t.Fatalf("%d records read, error %v", o.summary.RecordsIn, o.err)
	}
	before := cluster.GroupInfo(sampleGroup)
	o := millraceRun(testContext(t), t, nil, append(args, "--from-beginning")...)
	if o.err != nil || !slices.Equal(o.lines, []string{"a", "b"}) {
		t.Errorf("%q written, error %v", o.lines, o.err)
	}
	group := regexp.MustCompile(regexp.QuoteMeta(sampleGroup) + "-run-[a-z0-9]+").FindString(o.stderr)
	if group == "" || cluster.GroupInfo(group) != nil {
		t.Errorf("the group %q is left: %+v", group, cluster.GroupInfo(group))
	}
	if after := cluster.GroupInfo(sampleGroup); after.Commits["in"][0] != before.Commits["in"][0] {
		t.Errorf("the manifest's group has committed %+v, and %+v before", after.Commits, before.Commits)
	}
}

// TestDryRunLeavesNoTrace: the cluster gets no record, no group and no offset.
func TestDryRunLeavesNoTrace(t *testing.T) {
	cluster, brokers := realCluster(t, kfake.SeedTopics(3, "in"))
	client := producer(t, brokers)
	for i, value := range []string{"done", "a", "bad", "b"} {
		mustProduce(t, client, &kgo.Record{Topic: "in", Partition: int32(min(i, 1)), Key: []byte("k"), Value: []byte(value)})
	}
	commit(t, brokers, "in", 0, 1)
	forbidden := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{
		kmsg.Produce, kmsg.OffsetCommit, kmsg.JoinGroup, kmsg.CreateTopics, kmsg.InitProducerID, kmsg.DeleteGroups,
	}, Count: -1, Observe: true})
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--until-drained"}, []string{"a 1 k", "b 1 k"}},
		{[]string{"--until-drained", "--from-beginning"}, []string{"a 1 k", "b 1 k", "done 0 k"}},
		{[]string{"--limit", "1"}, []string{"a 1 k"}},
	} {
		spec := strings.Replace(failing, "{cel: {", "{cel: {value: 'string(value) + \" \" + string(partition) + \" \" + string(key)', ", 1)
		o := millraceRun(testContext(t), t, nil, append([]string{"-f", writeManifest(t, spec), "--brokers", brokers, "--dry-run"}, c.args...)...)
		if o.err != nil || !slices.Equal(o.lines, c.want) {
			t.Errorf("%v: %q written, want %q; error %v", c.args, o.lines, c.want, o.err)
		}
		if !strings.Contains(o.stderr, "Dry run: topic in on "+brokers) {
			t.Errorf("%v: stderr %q", c.args, o.stderr)
		}
	}
	if n := forbidden.Hits(); n != 0 {
		t.Errorf("the cluster got %d requests that change something", n)
	}
	if cluster.TopicInfo("out") != nil || cluster.TopicInfo("dlq") != nil {
		t.Error("a topic was created")
	}
}

// commit commits an offset of the sample's group.
func commit(t *testing.T, brokers, topic string, partition int32, offset int64) {
	t.Helper()
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: offset, LeaderEpoch: -1})
	if _, err := kadm.NewClient(producer(t, brokers)).CommitOffsets(testContext(t), sampleGroup, offsets); err != nil {
		t.Fatal(err)
	}
}

// TestDryRunShowsItsResults: on the standard output, with all their parts.
func TestDryRunShowsItsResults(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(1, "in"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Key: []byte("k"), Value: []byte("v")})
	stdout, stderr := newWatchedOutput(), newWatchedOutput()
	root := newRootCommand(nil)
	root.SetArgs([]string{"run", "-f", writeManifest(t, copying), "--brokers", brokers, "--dry-run", "--until-drained"})
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(testContext(t)); err != nil {
		t.Fatal(err)
	}
	var e recordLine
	if err := json.Unmarshal([]byte(stdout.String()), &e); err != nil || string(e.Key) != `"k"` || string(e.Value) != `"v"` || e.Topic != "out" {
		t.Errorf("standard output %q (%v)", stdout, err)
	}
	if !strings.Contains(stderr.String(), "sample ran for") {
		t.Errorf("standard error %q", stderr)
	}
}

// TestNamedTopicsOnTheEmbeddedBroker: a processor that names topics runs as it does where
// they exist, and others can read them while it runs.
func TestNamedTopicsOnTheEmbeddedBroker(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeManifest(t, "  processor: {cel: {topic: '\"out-\" + string(value)'}}\n"),
		"--input-file", writeFile(t, "in", []byte("a\nb\n")), "--until-drained")
	if o.err != nil || o.summary.RecordsOut != 2 {
		t.Errorf("%d written, error %v", o.summary.RecordsOut, o.err)
	}
	for _, want := range []string{
		"Created topic out-a on the embedded broker", "Created topic out-b on the embedded broker",
		"sample joins the consumer group " + sampleGroup + " of topic in on the embedded broker at 127.0.0.1:",
	} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("stderr does not say %q", want)
		}
	}
}

// TestStatusPort: it can be chosen, and is printed.
func TestStatusPort(t *testing.T) {
	_, port, _ := strings.Cut(kafkatest.UnusedAddr(t), ":")
	stderr := newWatchedOutput()
	root := newRootCommand(nil)
	root.SetArgs([]string{"run", "-f", writeManifest(t, copying), "--status-port", port})
	root.SetOut(newWatchedOutput())
	root.SetErr(stderr)
	ctx, stop := context.WithCancel(testContext(t))
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	url := "http://127.0.0.1:" + port + "/status"
	stderr.await(t, "The status is at "+url)
	deadline := time.Now().Add(30 * time.Second)
	for {
		response, err := http.Get(url)
		if err == nil {
			_ = response.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Error(err)
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for i, want := range []string{"127.0.0.1:8000", "127.0.0.1:8001"} {
		if got, err := statusAddress((&runOptions{statusPort: 8000}).statusAddress(), i); err != nil || got != want {
			t.Errorf("program %d has %s, want %s; error %v", i, got, want, err)
		}
	}
}
