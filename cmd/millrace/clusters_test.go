package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// elsewhere is a manifest that sends its results to another cluster, to a topic with
// the input's name.
const elsewhere = `apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: sample}
spec:
  kafka: {bootstrapServers: [kafka:9092]}
  input: {topic: in}
  output: {topic: in, kafka: {bootstrapServers: ["elsewhere:9092"]}}
  failure: {deadLetter: {topic: dlq}}
  processor: {cel: {value: 'value == b"1" ? string(1 / 0) : string(value)'}}
`

// TestRunWithTwoClusters: without --brokers, two embedded brokers replace two clusters.
func TestRunWithTwoClusters(t *testing.T) {
	o := millraceRun(testContext(t), t, nil, "-f", writeFile(t, "manifest.yaml", []byte(elsewhere)),
		"--input-file", writeFile(t, "in.jsonl", []byte("0\n1\n2\n")), "--until-drained")
	if want := []string{"0", "2"}; o.err != nil || !slices.Equal(o.lines, want) || o.summary.RecordsIn != 3 {
		t.Errorf("%q written of %d read, want %q of 3; error %v", o.lines, o.summary.RecordsIn, want, o.err)
	}
	if !strings.Contains(o.stdout, "on two embedded brokers") || !strings.Contains(o.stdout, "The first dead letters in topic dlq") {
		t.Errorf("stdout %q", o.stdout)
	}
}

// TestRunWithTwoRealClusters: --brokers names the input's cluster, and the manifest
// names the output's.
func TestRunWithTwoRealClusters(t *testing.T) {
	input, output := kafkatest.Fake(t, kfake.SeedTopics(2, "in", "dlq")), kafkatest.Fake(t, kfake.SeedTopics(2, "in"))
	manifest := strings.Replace(elsewhere, "elsewhere:9092", output.Addrs()[0], 1)
	input.Produce(&kgo.Record{Topic: "in", Value: []byte("0")}, &kgo.Record{Topic: "in", Value: []byte("1")})
	o := millraceRun(testContext(t), t, nil, "-f", writeFile(t, "manifest.yaml", []byte(manifest)), "--brokers", input.Addrs()[0], "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"0"}) || len(output.ConsumeAll("in", kgo.ReadCommitted())) != 1 {
		t.Errorf("%q written; error %v", o.lines, o.err)
	}
	if want := input.Addrs()[0] + ", with the results on " + output.Addrs()[0]; !strings.Contains(o.stdout, want) {
		t.Errorf("stdout %q does not contain %q", o.stdout, want)
	}
}

func TestRunNamesTheClusterThatDoesNotAnswer(t *testing.T) {
	input, away := kafkatest.Fake(t, kfake.SeedTopics(2, "in", "dlq")), kafkatest.UnusedAddr(t)
	manifest := writeFile(t, "manifest.yaml", []byte(strings.Replace(elsewhere, "elsewhere:9092", away, 1)))
	o := millraceRun(testContext(t), t, nil, "-f", manifest, "--brokers", input.Addrs()[0])
	if o.err == nil || !strings.Contains(o.err.Error(), "the output's cluster (output.kafka): ") || !strings.Contains(o.err.Error(), away) {
		t.Errorf("error %v, want one that names output.kafka and %s", o.err, away)
	}
}

// TestRunWithoutAnOutput: a manifest without an output runs, but not with
// --output-file.
func TestRunWithoutAnOutput(t *testing.T) {
	manifest := writeFile(t, "manifest.yaml", []byte(strings.Replace(baseManifest, "  output: {topic: out}\n", "", 1)+
		"  processor: {cel: {filter: 'false', topic: '\"in\"'}}\n"))
	o := millraceRun(testContext(t), t, nil, "-f", manifest)
	if o.err == nil || !strings.Contains(o.err.Error(), "--output-file: "+manifest+" has no spec.output.topic") {
		t.Errorf("with --output-file: %v", o.err)
	}
	stdout, err := command(t, "", "run", "-f", manifest, "--input-file", writeFile(t, "in.jsonl", []byte("0\n1\n")), "--until-drained")
	if err != nil || !regexp.MustCompile(`filtered +2\n`).MatchString(stdout) || !strings.Contains(stdout, "to topics that the results name") {
		t.Errorf("error %v, stdout %q", err, stdout)
	}
}
