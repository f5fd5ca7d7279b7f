package fetch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestFetcherAgainstApacheKafka compares the records that a Fetcher and franz-go read
// of the same topics.
func TestFetcherAgainstApacheKafka(t *testing.T) {
	broker := kafkatest.Apache(t,
		kafkatest.Property("log.cleaner.backoff.ms", "200"),
		kafkatest.Property("log.cleaner.dedupe.buffer.size", "4194304"))
	t.Run("codecs", func(t *testing.T) { apacheCodecs(t, broker) })
	t.Run("transactions", func(t *testing.T) { apacheTransactions(t, broker) })
	t.Run("compaction", func(t *testing.T) { apacheCompaction(t, broker) })
	t.Run("restart", func(t *testing.T) { apacheRestart(t, broker) })
}

// apacheCodecs has the records compressed by the producer, and by the broker,
// whose codecs and framing are Java's.
func apacheCodecs(t *testing.T, broker *kafkatest.Broker) {
	producers := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for _, stored := range []string{"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"} {
		for sent, codec := range producers {
			if stored != "producer" && sent != "none" && sent != "zstd" {
				continue
			}
			t.Run(stored+" from "+sent, func(t *testing.T) {
				topic := "codec-" + stored + "-" + sent
				broker.CreateTopic(topic, 2, map[string]string{"compression.type": stored})
				broker.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(codec)}, fidelity(topic)...)
				compareWithFranz(t, broker, topic)
			})
		}
	}
}

// fidelity are records with each way a field can be, and large ones.
func fidelity(topic string) []*kgo.Record {
	large := make([]byte, 900<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range large {
		large[i] = byte(random.IntN(64))
	}
	at := time.Now().Truncate(time.Millisecond)
	recs := []*kgo.Record{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: at, Headers: []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "b"}}},
		{Timestamp: at.Add(-time.Hour)},
		{Key: []byte{}, Value: []byte{}, Timestamp: at},
		{Value: large, Timestamp: at},
		{Key: []byte("tombstone"), Timestamp: at},
	}
	for i := range 500 {
		recs = append(recs, &kgo.Record{Key: fmt.Appendf(nil, "key %d", i), Value: bytes.Repeat(fmt.Appendf(nil, "value %d ", i), i%50), Timestamp: at})
	}
	for i, rec := range recs {
		rec.Topic, rec.Partition = topic, int32(i%2)
	}
	return recs
}

func apacheTransactions(t *testing.T, broker *kafkatest.Broker) {
	broker.CreateTopic("transactions", 2, nil)
	for round := range 4 {
		kept, gone := broker.Begin("kept"), broker.Begin("gone")
		for i := range 5 {
			for p := range int32(2) {
				kept.Produce(numbered("transactions", p, 10*round+i, 2)...)
				gone.Produce(numbered("transactions", p, 1000+10*round+i, 2)...)
				broker.Produce(numbered("transactions", p, 2000+10*round+i, 1)...)
			}
		}
		gone.Abort()
		kept.Commit()
	}
	broker.ProduceTxn("gone", false, numbered("transactions", 0, 3000, 3)...)
	compareWithFranz(t, broker, "transactions")
}

// apacheCompaction overwrites a few keys until segments are cleaned. That leaves
// holes, and empty batches where a producer wrote last.
func apacheCompaction(t *testing.T, broker *kafkatest.Broker) {
	broker.CreateTopic("compacted", 2, map[string]string{
		"cleanup.policy": "compact", "segment.bytes": "1048576", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "100",
		"delete.retention.ms": "1", "segment.ms": "500",
	})
	written := 0
	write := func() {
		for producer := range 5 {
			var recs []*kgo.Record
			for i := range 60 {
				value := bytes.Repeat([]byte{byte(i), byte(producer)}, 5000)
				if i%7 == 0 {
					value = nil
				}
				recs = append(recs, &kgo.Record{Topic: "compacted", Partition: int32(i % 2), Key: fmt.Appendf(nil, "key %d", i/2%10), Value: value})
			}
			broker.ProduceWith([]kgo.Opt{kgo.ProducerBatchMaxBytes(50_000)}, recs...)
			written += len(recs)
		}
	}
	write()
	broker.Eventually("the log is cleaned", func() bool {
		write() // a segment ends only at an append
		return len(broker.ConsumeAll("compacted", kgo.ReadCommitted())) < written/2
	})
	left := restCleaner(t, broker, "compacted")
	t.Logf("%d records were written, %d are left", written, left)
	compareWithFranz(t, broker, "compacted")
}

// restCleaner has the cleaner leave a topic as it is, so that two readers find
// the same, and returns how many records are left.
func restCleaner(t *testing.T, broker *kafkatest.Broker, topic string) (left int) {
	t.Helper()
	entry := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	entry.Name, entry.Value = "cleanup.policy", kmsg.StringPtr("delete")
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	resource.Configs = append(resource.Configs, entry)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Resources = append(req.Resources, resource)
	res, err := req.RequestWith(t.Context(), broker.Client())
	if err != nil || res.Resources[0].ErrorCode != 0 {
		t.Fatalf("change the topic's cleanup.policy: %v, %+v", err, res)
	}
	var since time.Time
	broker.Eventually("the cleaner is at rest", func() bool {
		if n := len(broker.ConsumeAll(topic, kgo.ReadCommitted())); n != left || since.IsZero() {
			left, since = n, time.Now()
		}
		return time.Since(since) > 2*time.Second // a cleaning under way may still end
	})
	return left
}

func apacheRestart(t *testing.T, broker *kafkatest.Broker) {
	broker.CreateTopic("restarted", 3, nil)
	r := newReader(t, broker.Addrs(), Config{Topic: "restarted"})
	ends := map[int32]int64{}
	for round := range 2 {
		for p := range int32(3) {
			if round == 0 {
				r.start(p, 0)
			}
			broker.Produce(numbered("restarted", p, round*100, 100)...)
			ends[p] = int64(round+1) * 100
		}
		r.reads(ends)
		if round == 0 {
			broker.Kill()
			broker.Start()
		}
	}
	for p := range int32(3) {
		r.checkNumbered(p, 200)
	}
	if n := r.log.Count("will be retried"); n > 8 {
		t.Errorf("%d lines about the restart: %q", n, r.log.Lines())
	}
}

// compareWithFranz reads a topic to its end with a Fetcher and with franz-go. A
// position must come to the high watermark, with any kind of batch at the log's end.
func compareWithFranz(t *testing.T, broker *kafkatest.Broker, topic string) {
	t.Helper()
	ends := broker.EndOffsets(topic, kgo.ReadUncommitted())
	r := newReader(t, broker.Addrs(), Config{Topic: topic, Isolation: config.ReadCommitted, MaxPartitionBytes: 100_000})
	for p := range ends {
		r.start(p, 0)
	}
	r.reads(ends)
	var want []*kgo.Record
	want = append(want, broker.ConsumeAll(topic, kgo.ReadCommitted())...)
	var got []record.Record
	for p := range int32(len(ends)) {
		got = append(got, r.got[p]...)
	}
	if len(got) != len(want) {
		t.Fatalf("read %d records, franz-go %d", len(got), len(want))
	}
	for i := range got {
		if !sameRecord(&got[i], want[i]) {
			t.Fatalf("record %d: partition %d, offset %d, key %.50q, value %.50q; franz-go has partition %d, offset %d, key %.50q, value %.50q", i,
				got[i].Partition, got[i].Offset, got[i].Key, got[i].Value, want[i].Partition, want[i].Offset, want[i].Key, want[i].Value)
		}
	}
}

func sameRecord(got *record.Record, want *kgo.Record) bool {
	same := got.Topic == want.Topic && got.Partition == want.Partition && got.Offset == want.Offset && got.Timestamp.Equal(want.Timestamp) &&
		sameBytes(got.Key, want.Key) && sameBytes(got.Value, want.Value) && len(got.Headers) == len(want.Headers)
	for i := range want.Headers {
		same = same && got.Headers[i].Key == want.Headers[i].Key && sameBytes(got.Headers[i].Value, want.Headers[i].Value)
	}
	return same
}

// sameBytes tells null from empty.
func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
