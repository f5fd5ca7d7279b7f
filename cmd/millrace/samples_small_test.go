package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/cmd/millrace/cases"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestSamplesRun: of the records in a sample's cases, a run makes what the cases say. The
// cases that halt a partition would end the run.
func TestSamplesRun(t *testing.T) {
	for _, manifest := range sampleManifests(t) {
		if _, err := os.Stat(casesOf(manifest)); errors.Is(err, fs.ErrNotExist) {
			continue // a container
		}
		t.Run(filepath.Base(manifest), func(t *testing.T) {
			var input bytes.Buffer
			var want summary
			lines := 0 // those that the output topic gets
			for _, c := range sampleCases(t, manifest) {
				if len(c.Halted) > 0 {
					continue
				}
				want.RecordsIn += int64(len(c.In))
				want.RecordsOut += int64(len(c.Out))
				want.RecordsDeadLettered += int64(len(c.DeadLetters))
				want.RecordsDropped += int64(len(c.Dropped))
				for i := range c.In {
					writeInput(t, &input, &c.In[i])
				}
				for _, out := range c.Out {
					if out.Topic == "" || out.Topic == outputOf(t, manifest) {
						lines++
					}
				}
			}
			o := millraceRun(testContext(t), t, nil, withCommand(t, manifest, "-f", manifest, "--input-format", "json",
				"--input-file", writeFile(t, "in.jsonl", input.Bytes()), "--until-drained")...)
			got := o.summary
			if o.err != nil || got.RecordsIn != want.RecordsIn || got.RecordsOut != want.RecordsOut || len(o.lines) != lines ||
				got.RecordsDeadLettered != want.RecordsDeadLettered || got.RecordsDropped != want.RecordsDropped {
				t.Errorf("%d lines, summary %+v, want %d and %+v; error %v", len(o.lines), got, lines, want, o.err)
			}
		})
	}
}

// writeInput writes a record of a case for --input-format json.
func writeInput(t *testing.T, input io.Writer, in *cases.Record) {
	t.Helper()
	rec, err := in.Worker()
	if err != nil {
		t.Fatal(err)
	}
	r := &kgo.Record{Key: rec.Key, Value: rec.Value, Timestamp: time.Now()}
	for _, h := range rec.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	if err := writeEnvelope(input, r); err != nil {
		t.Fatal(err)
	}
}

// outputOf returns the output topic of a manifest.
func outputOf(t *testing.T, manifest string) string {
	t.Helper()
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	sp, err := v1alpha1.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return sp.Spec.Output.Topic
}

const (
	payment = `{"payment": 1, "card": "4000111122223333", "cents": 990}` + "\n"
	masked  = `{"card":"3333","cents":990,"payment":1}`
)

// TestSampleTLSAndSCRAMOnASecuredCluster: the sample reads its credentials from the
// files that its comment names.
func TestSampleTLSAndSCRAMOnASecuredCluster(t *testing.T) {
	ca := kafkatest.NewCA(t)
	pair := ca.Server("127.0.0.1")
	certificate, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	_, brokers := realCluster(t, kfake.SeedTopics(2, "payments", "payments-masked"),
		kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "millrace", "secret"))
	manifest, err := os.ReadFile(filepath.Join(samples, "tls-scram", "tls-scram.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := writeFile(t, "tls-scram.yaml", manifest)
	authority, err := os.ReadFile(ca.File)
	if err != nil {
		t.Fatal(err)
	}
	writeSecret(t, path, "kafka-ca", map[string]string{"ca.crt": string(authority)})
	writeSecret(t, path, "kafka-user", map[string]string{"password": "secret"})
	o := millraceRun(testContext(t), t, nil, "-f", path, "--brokers", brokers,
		"--input-file", writeFile(t, "in.jsonl", []byte(payment)), "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{masked}) {
		t.Errorf("%q written, want %q; error %v", o.lines, masked, o.err)
	}
}

// TestSampleKeyOrderedKeepsTheOrderOfKeys runs on a cluster, because records from an
// input file have no key.
func TestSampleKeyOrderedKeepsTheOrderOfKeys(t *testing.T) {
	_, brokers := realCluster(t, kfake.SeedTopics(2, "bookings"))
	var records []*kgo.Record
	want := map[string][]string{}
	for i := range 200 {
		key := fmt.Sprintf("account-%d", i%4)
		records = append(records, &kgo.Record{
			Topic: "bookings", Partition: int32(i % 2), Key: []byte(key),
			Value: fmt.Appendf(nil, `{"booking": %d, "account": %q, "cents": 5}`, i, key),
		})
		want[key] = append(want[key], fmt.Sprintf(`{"account":%q,"booking":%d,"cents":5,"kind":"credit"}`, key, i))
	}
	mustProduce(t, producer(t, brokers), records...)
	o := millraceRun(testContext(t), t, nil, "-f", filepath.Join(samples, "key-ordered.yaml"), "--brokers", brokers, "--until-drained")
	if o.err != nil {
		t.Fatal(o.err)
	}
	if got := valuesByKey(t, brokers, "bookings-checked", len(records)); !reflect.DeepEqual(got, want) {
		t.Errorf("the bookings are\n%v\nwant\n%v", got, want)
	}
}

// valuesByKey returns the values in a topic for each key, in their order.
func valuesByKey(t *testing.T, brokers, topic string, count int) map[string][]string {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ConsumeTopics(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	found := map[string][]string{}
	for n := 0; n < count; {
		fetches := client.PollFetches(testContext(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			found[string(r.Key)] = append(found[string(r.Key)], string(r.Value))
			n++
		})
	}
	return found
}

func TestSamplesAreListed(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(samples, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(samples, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" || isCases(path) {
			return err
		}
		listed, err := filepath.Rel(samples, path)
		if dir := filepath.Dir(listed); dir != "." {
			listed = dir
		}
		if !strings.Contains(string(readme), "]("+listed+")") {
			t.Errorf("%s is not in the list of samples", listed)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
