package engine_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// These tests run on Apache Kafka itself: what they check is not the same on an
// embedded broker.

func apacheRig(t *testing.T, partitions int32, opts ...kafkatest.Option) (*rig, *kafkatest.Broker) {
	t.Helper()
	broker := kafkatest.Apache(t, opts...)
	return newRig(t, &broker.Cluster, partitions), broker
}

var codecs = map[config.Compression]kgo.CompressionCodec{
	config.None: kgo.NoCompression(), config.Gzip: kgo.GzipCompression(), config.Snappy: kgo.SnappyCompression(),
	config.LZ4: kgo.Lz4Compression(), config.Zstd: kgo.ZstdCompression(),
}

// TestApacheCompressionsAndFidelity copies records of every kind, compressed in
// every way, into topics compressed in every way.
func TestApacheCompressionsAndFidelity(t *testing.T) {
	r, _ := apacheRig(t, 1)
	at := time.UnixMilli(time.Now().UnixMilli() - 5000)
	big := []byte(strings.Repeat("0123456789abcdef", 900_000/16))
	var want []*kgo.Record
	for name, codec := range codecs {
		records := []*kgo.Record{
			{Key: []byte("k"), Value: []byte(name), Timestamp: at},
			{Key: nil, Value: nil, Timestamp: at.Add(-time.Hour)},
			{Key: []byte{}, Value: []byte{}, Timestamp: at.Add(time.Second)},
			{Key: []byte("h"), Value: []byte("x"), Timestamp: at, Headers: []kgo.RecordHeader{{Key: "a", Value: nil}, {Key: "a", Value: []byte{}}}},
			{Key: []byte("big"), Value: big, Timestamp: at},
		}
		for _, rec := range records {
			rec.Topic = "in"
		}
		r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner())}, records...)
		want = append(want, records...)
	}
	for name := range codecs {
		t.Run(string(name), func(t *testing.T) {
			topic := "out-" + string(name)
			r.cluster.CreateTopic(topic, 1, nil)
			w := r.start(identity, func(c *config.Config) {
				c.Ordering, c.Output.Topic, c.Output.Compression, c.Input.GroupID = config.Partition, topic, name, topic
			})
			r.awaitSettled(w)
			w.drain()
			got := r.cluster.ConsumeAll(topic, kgo.ReadCommitted())
			if len(got) != len(want) {
				t.Fatalf("%d records out, want %d", len(got), len(want))
			}
			for i := range want {
				if diff := difference(got[i], want[i]); diff != "" {
					t.Errorf("record %d: %s", i, diff)
				}
			}
		})
	}
}

// TestApacheLargeRecords: the worker copies records that are larger than a fetch, a
// batch and its default bounds, and dead-letters one that the output topic does not
// take.
func TestApacheLargeRecords(t *testing.T) {
	broker := kafkatest.Apache(t)
	for topic, limit := range map[string]string{"in": "5000000", "out": "4000000", "dlq": "5000000"} {
		broker.CreateTopic(topic, 2, map[string]string{"max.message.bytes": limit})
	}
	r := &rig{t: t, cluster: &broker.Cluster, cfg: testConfig(broker.Addrs())}
	r.cfg.InFlight.Bytes = 1 << 20
	value := func(size int) []byte { return []byte(strings.Repeat("x", size)) }
	var records []*kgo.Record
	for i := range 12 {
		size := 10
		switch i / 2 % 3 { // small ones before and after, in both partitions
		case 0:
			size = 3_000_000
		case 1:
			size = 4_500_000
		}
		records = append(records, &kgo.Record{Topic: "in", Partition: int32(i % 2), Value: value(size)})
	}
	r.cluster.ProduceWith([]kgo.Opt{
		kgo.ProducerBatchMaxBytes(5_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, records...)
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	sizes := func(topic string) map[int]int {
		counts := map[int]int{}
		for value, n := range r.values(topic) {
			counts[len(value)] += n
		}
		return counts
	}
	if got, want := sizes("out"), map[int]int{10: 4, 3_000_000: 4}; !maps.Equal(got, want) {
		t.Errorf("sizes and numbers of the outputs: %v, want %v", got, want)
	}
	if got, want := sizes("dlq"), map[int]int{4_500_000: 4}; !maps.Equal(got, want) {
		t.Errorf("sizes and numbers of the dead letters: %v, want %v", got, want)
	}
}

// TestApacheTransactions: the worker leaves out aborted records, and comes to the end of
// a log that ends with markers.
func TestApacheTransactions(t *testing.T) {
	r, _ := apacheRig(t, 1)
	rec := func(v int) *kgo.Record {
		return &kgo.Record{Topic: "in", Key: []byte("k"), Value: []byte(fmt.Sprint(v))}
	}
	for i := range 30 {
		r.cluster.ProduceTxn("tx", i%3 != 0, rec(2*i), rec(2*i+1))
	}
	r.cluster.ProduceTxn("tx", false, rec(1000), rec(1001))
	w := r.start(identity)
	r.awaitSettled(w) // the end is behind the last marker
	w.drain()
	got := r.values("out")
	for i := range 60 {
		want := 1
		if i/2%3 == 0 {
			want = 0
		}
		if got[fmt.Sprint(i)] != want {
			t.Errorf("record %d is there %d times, want %d", i, got[fmt.Sprint(i)], want)
		}
	}
	if got["1000"]+got["1001"] > 0 {
		t.Error("records of the last, aborted transaction are there")
	}
	r.wantCommitted("group")

	r.cluster.CreateTopic("out2", 1, nil)
	all := r.start(identity, func(c *config.Config) {
		c.Input.IsolationLevel, c.Input.GroupID, c.Output.Topic = config.ReadUncommitted, "all", "out2"
	})
	r.awaitSettled(all)
	all.drain()
	if n := len(r.values("out2")); n != 62 {
		t.Errorf("%d records read uncommitted, want 62", n)
	}
}

// TestApacheCompactedTopic reads a log with holes.
func TestApacheCompactedTopic(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Property("log.cleaner.backoff.ms", "200"))
	broker.CreateTopic("in", 1, map[string]string{
		"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0",
	})
	broker.CreateTopic("out", 1, nil)
	broker.CreateTopic("dlq", 1, nil)
	r := &rig{t: t, cluster: &broker.Cluster, cfg: testConfig(broker.Addrs())}
	const n, keys = 3000, 50
	for from := 0; from < n; from += 300 {
		r.produce(from, 300, keys)
	}
	round := n
	r.eventually("the log is compacted", func() bool {
		r.produce(round, 1, keys) // a segment is rolled by the next append only
		round++
		return len(r.cluster.ConsumeAll("in", kgo.ReadCommitted())) < n/4
	})
	want := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll("in", kgo.ReadCommitted()) {
		want[string(rec.Value)]++
	}
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	got := r.values("out")
	// The cleaner may have gone on between the two readings.
	for v := range got {
		if want[v] == 0 {
			t.Errorf("record %s came out of nowhere", v)
		}
	}
	for i := round - keys; i < round; i++ {
		if got[fmt.Sprint(i)] == 0 {
			t.Errorf("record %d, the last of its key, is lost", i)
		}
	}
}

// TestApacheBrokerRestart stops the broker under load: by a shutdown, then by a kill.
func TestApacheBrokerRestart(t *testing.T) {
	r, broker := apacheRig(t, 4)
	const n = 200_000
	r.produce(0, n, 1000)
	w := r.start(identity, func(c *config.Config) { c.Output.Linger = duration(5 * time.Millisecond) })
	for i, restart := range []func(){broker.Restart, func() { broker.Kill(); broker.Start() }} {
		r.eventually("it is at work", func() bool { return w.engine.Status().Totals.RecordsOut > int64(1000*(i+1)) })
		restart()
	}
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, false)
	r.wantCommitted("group")
}

func TestApacheKill(t *testing.T) {
	r, _ := apacheRig(t, 4)
	killTest(t, r)
}

func TestApachePoison(t *testing.T) {
	for name, test := range poisonTests {
		t.Run(name, func(t *testing.T) {
			r, _ := apacheRig(t, 2)
			test(t, r)
		})
	}
}

func TestApacheOrder(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Key, config.Partition} {
		t.Run(string(ordering), func(t *testing.T) {
			r, _ := apacheRig(t, 3)
			r.cfg.Ordering = ordering
			orderTest(t, r, false)
		})
	}
}

// asUser has a worker connect as a user of the broker.
func asUser(t *testing.T, broker *kafkatest.Broker, user kafkatest.User) func(*config.Config) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"user": user.Name, "password": user.Password} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(c *config.Config) {
		c.Kafka.BootstrapServers = broker.SecureAddrs()
		c.Kafka.SASL = &config.SASL{
			Mechanism:    config.Mechanism(user.Mechanism),
			UsernameFile: filepath.Join(dir, "user"), PasswordFile: filepath.Join(dir, "password"),
		}
	}
}

// TestApacheMissingPermission: the worker ends with an error that names the missing
// permission, instead of trying for ever.
func TestApacheMissingPermission(t *testing.T) {
	user := kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: "worker", Password: "s3cret"}
	allow := func(resource kmsg.ACLResourceType, name string, operation kmsg.ACLOperation) kafkatest.ACL {
		return kafkatest.ACL{User: "worker", Resource: resource, Name: name, Operation: operation}
	}
	topics := kmsg.ACLResourceTypeTopic
	all := []kafkatest.ACL{
		allow(topics, "in", kmsg.ACLOperationRead), allow(topics, "out", kmsg.ACLOperationWrite),
		allow(topics, "dlq", kmsg.ACLOperationWrite), allow(kmsg.ACLResourceTypeGroup, "group", kmsg.ACLOperationRead),
	}
	for i, missing := range []string{"in", "out", "", "group"} {
		if missing == "" {
			continue // the dead-letter topic is like the output
		}
		t.Run(missing, func(t *testing.T) {
			acls := append(append([]kafkatest.ACL{}, all[:i]...), all[i+1:]...)
			r, broker := apacheRig(t, 1, kafkatest.Users(user), kafkatest.ACLs(acls...))
			r.produce(0, 10, 1)
			err := r.start(identity, asUser(t, broker, user)).wait()
			// A topic that may not even be described is one that is not there.
			if !errors.Is(err, kafka.ErrNotAuthorized) && !errors.Is(err, kafka.ErrTopicNotFound) || !strings.Contains(fmt.Sprint(err), missing) {
				t.Errorf("without permission on %q: %v", missing, err)
			}
		})
	}
}

func TestApacheHandover(t *testing.T) {
	r, _ := apacheRig(t, 6)
	handoverTest(t, r)
}

// TestApacheTLSAndSCRAM: the worker works through an encrypted and authenticated
// listener, with credentials from files as in a pod.
func TestApacheTLSAndSCRAM(t *testing.T) {
	r, broker := apacheRig(t, 2, kafkatest.TLS(), kafkatest.Users(kafkatest.User{Mechanism: "SCRAM-SHA-512", Name: "worker", Password: "s3cret"}))
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secure := func(password string) func(*config.Config) {
		return func(c *config.Config) {
			c.Kafka = config.Kafka{
				BootstrapServers: broker.SecureAddrs(),
				TLS:              &config.TLS{CAFiles: []string{broker.CA.File}},
				SASL: &config.SASL{
					Mechanism:    "SCRAM-SHA-512",
					UsernameFile: file("user", "worker\n"), PasswordFile: file("password", password+"\n"),
				},
			}
		}
	}
	const n = 5000
	r.produce(0, n, 10)
	w := r.start(identity, secure("s3cret"))
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, n, false)

	err := r.start(identity, secure("wrong")).wait()
	if err == nil || !strings.Contains(err.Error(), broker.SecureAddrs()[0]) {
		t.Errorf("with a wrong password: %v; want an error that names the address", err)
	}
}
