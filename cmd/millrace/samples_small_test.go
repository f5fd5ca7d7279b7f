package main

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestSampleMinimal(t *testing.T) {
	o := runSample(t, "minimal.yaml", `{"id": "A-1", "total": 99.99}
{"id": "A-2", "customer": "c-4", "total": 100}
{"id": "A-3", "total": 120.5}
`)
	want := []string{`{"id":"A-2","total":100}`, `{"id":"A-3","total":120.5}`}
	if o.err != nil || !slices.Equal(o.lines, want) || o.summary.RecordsFiltered != 1 {
		t.Errorf("%q written, %d filtered, want %q; error %v", o.lines, o.summary.RecordsFiltered, want, o.err)
	}
}

func TestSampleScaleToZero(t *testing.T) {
	o := runSample(t, "scale-to-zero.yaml", `{"team": "a", "lines": ["all is well", "URGENT: the pump"]}
no report
{"team": "b", "lines": []}
`)
	want := []string{`{"lines":0,"team":"b","urgent":false}`, `{"lines":2,"team":"a","urgent":true}`}
	if o.err != nil || !slices.Equal(o.lines, want) || o.summary.RecordsDropped != 1 {
		t.Errorf("%q written, %d dropped, want %q; error %v", o.lines, o.summary.RecordsDropped, want, o.err)
	}
}

func TestSampleTLSAndSCRAM(t *testing.T) {
	o := runSample(t, "tls-scram/tls-scram.yaml", payment)
	if o.err != nil || !slices.Equal(o.lines, []string{masked}) {
		t.Errorf("%q written, want %q; error %v", o.lines, masked, o.err)
	}
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

func TestSampleKeyOrdered(t *testing.T) {
	o := runSample(t, "key-ordered.yaml", `{"booking": 1, "account": "a", "cents": -250}
{"booking": 2}
`)
	want := []string{`{"account":"a","booking":1,"cents":-250,"kind":"debit"}`}
	if o.err != nil || !slices.Equal(o.lines, want) || o.summary.RecordsDeadLettered != 1 || o.summary.AttemptsFailed != 1 {
		t.Errorf("%q written, summary %+v, want %q, and 1 dead-lettered after 1 attempt; error %v", o.lines, o.summary, want, o.err)
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
		if err != nil || filepath.Ext(path) != ".yaml" {
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

func runSample(t *testing.T, manifest, input string) outcome {
	t.Helper()
	return millraceRun(testContext(t), t, nil, "-f", filepath.Join(samples, manifest),
		"--input-file", writeFile(t, "in.jsonl", []byte(input)), "--until-drained")
}
