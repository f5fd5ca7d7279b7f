package engine_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// onBothWithLetters runs a test on kfake and on Apache Kafka, with a dead-letter topic of
// this configuration.
func onBothWithLetters(t *testing.T, dlq map[string]string, test func(t *testing.T, r *rig)) {
	t.Helper()
	on := func(t *testing.T, c *kafkatest.Cluster) {
		t.Helper()
		c.CreateTopic("in", 2, map[string]string{"max.message.bytes": "2000000"})
		c.CreateTopic("out", 2, nil)
		c.CreateTopic("dlq", 1, dlq)
		r := &rig{t: t, cluster: c, cfg: testConfig(c.Addrs())}
		r.cfg.Input.GroupID = t.Name()
		test(t, r)
	}
	t.Run("fake", func(t *testing.T) { on(t, &kafkatest.Fake(t).Cluster) })
	t.Run("apache", func(t *testing.T) {
		t.Cleanup(func() {
			c := kafkatest.Shared(t) // the client of the test's own is closed
			for _, topic := range []string{"in", "out", "dlq"} {
				c.DeleteTopic(topic)
			}
		})
		on(t, &kafkatest.Shared(t).Cluster)
	})
}

// failsUnlessNumber fails records that don't hold a number.
var failsUnlessNumber = worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
	if _, err := strconv.Atoi(string(rec.Value)); err != nil {
		return nil, failure.Permanent(errPoison)
	}
	return rec.Value, nil
})

// noise does not compress.
func noise(n int) []byte {
	random := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = random.Read(b)
	return b
}

// produceLarge writes records that may be as large as a topic allows.
func (r *rig) produceLarge(codec kgo.CompressionCodec, records ...*kgo.Record) {
	r.t.Helper()
	r.cluster.ProduceWith([]kgo.Opt{
		kgo.ProducerBatchMaxBytes(8 << 20), kgo.BrokerMaxWriteBytes(32 << 20),
		kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, records...)
}

// TestLettersLeaveOutWhatIsTooLarge has records whose whole letters are too large for
// the dead-letter topic.
func TestLettersLeaveOutWhatIsTooLarge(t *testing.T) {
	onBothWithLetters(t, map[string]string{"max.message.bytes": "3000"}, func(t *testing.T, r *rig) {
		big := noise(10_000)
		r.produceLarge(kgo.NoCompression(),
			&kgo.Record{Topic: "in", Key: []byte("small"), Value: []byte("small"), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}},
			&kgo.Record{Topic: "in", Key: []byte("value"), Value: big, Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("v")}}},
			&kgo.Record{Topic: "in", Key: []byte("headers"), Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "h", Value: big}}},
			&kgo.Record{Topic: "in", Key: big, Value: []byte("x")},
			&kgo.Record{Topic: "in", Value: []byte("5")},
		)
		w := r.start(failsUnlessNumber)
		r.awaitSettled(w)
		w.drain()
		letters := map[string]*kgo.Record{}
		for _, l := range r.cluster.ConsumeAll("dlq", kgo.ReadCommitted()) {
			letters[headers(l)[failure.HeaderOffset]] = l
		}
		for offset, want := range []struct{ key, value, h, omitted string }{
			{"small", "small", "v", ""},
			{"value", "", "v", "value=10000"},
			{"headers", "", "", "value=1 headers=10001"},
			{"in/0/3", "", "", "value=1 headers=0 key=10000"},
		} {
			l := letters[strconv.Itoa(offset)]
			if l == nil {
				t.Errorf("no letter of record %d", offset)
				continue
			}
			h := headers(l)
			var omitted []string
			for _, part := range []string{"value", "headers", "key"} {
				if size, ok := h["millrace-"+part+"-omitted"]; ok {
					omitted = append(omitted, part+"="+size)
				}
			}
			got := strings.Join(omitted, " ")
			if string(l.Key) != want.key || string(l.Value) != want.value || h["h"] != want.h || got != want.omitted ||
				!strings.Contains(h[failure.HeaderError], "poison") {
				t.Errorf("record %d: key %.20q, value %.20q, headers %.300v", offset, l.Key, l.Value, h)
			}
		}
		if got := r.values("out"); len(letters) != 4 || got["5"] != 1 {
			t.Errorf("%d letters, out: %v", len(letters), got)
		}
	})
}

// TestLetterOfACompressedRecordIsWhole has a record that is larger than its
// dead-letter topic takes uncompressed, and one that leaves no room for the
// letter's headers.
func TestLetterOfACompressedRecordIsWhole(t *testing.T) {
	onBothWithLetters(t, nil, func(t *testing.T, r *rig) {
		text := bytes.Repeat([]byte(`{"field":"value","n":12345},`), 3<<20/28)
		r.produceLarge(kgo.ZstdCompression(), &kgo.Record{Topic: "in", Value: text})
		tight := make([]byte, 1_048_588-61-20)
		r.produceLarge(kgo.NoCompression(), &kgo.Record{Topic: "in", Value: tight}, &kgo.Record{Topic: "in", Value: []byte("7")})
		w := r.start(failsUnlessNumber)
		r.awaitSettled(w)
		w.drain()
		letters := r.values("dlq")
		if len(letters) != 2 || letters[string(text)] != 1 || letters[string(tight)] != 1 || r.values("out")["7"] != 1 {
			t.Errorf("%d letters, want the two records as they were; out: %v", len(letters), r.values("out"))
		}
	})
}

// TestLetterWithoutAKeyForACompactedTopic: the letter of a record without a key gets one.
func TestLetterWithoutAKeyForACompactedTopic(t *testing.T) {
	onBothWithLetters(t, map[string]string{"cleanup.policy": "compact"}, func(t *testing.T, r *rig) {
		r.produceLarge(kgo.NoCompression(),
			&kgo.Record{Topic: "in", Value: []byte("no key")}, &kgo.Record{Topic: "in", Key: []byte("k"), Value: []byte("key")},
			&kgo.Record{Topic: "in", Value: []byte("7")})
		w := r.start(failsUnlessNumber)
		r.awaitSettled(w)
		w.drain()
		got := map[string]string{}
		for _, l := range r.cluster.ConsumeAll("dlq", kgo.ReadCommitted()) {
			got[string(l.Value)] = string(l.Key) + headers(l)[failure.HeaderKeyAdded]
		}
		if len(got) != 2 || got["no key"] != "in/0/0true" || got["key"] != "k" {
			t.Errorf("keys of the letters: %v", got)
		}
	})
}

// TestLetterThatIsRefusedForGood: the worker halts the record's partition and nothing
// else, or drops the record, as the configuration says.
func TestLetterThatIsRefusedForGood(t *testing.T) {
	// Nothing fits, not even a letter without anything of its record.
	onBothWithLetters(t, map[string]string{"max.message.bytes": "100"}, func(t *testing.T, r *rig) {
		r.produceLarge(kgo.NoCompression(),
			&kgo.Record{Topic: "in", Value: []byte("1")}, &kgo.Record{Topic: "in", Value: []byte("poison")},
			&kgo.Record{Topic: "in", Partition: 1, Value: []byte("2")})
		w := r.start(failsUnlessNumber)
		r.eventually("its partition is halted", func() bool { return w.partition(0).State == "halted" })
		for _, part := range []string{`topic "in" partition 0 offset 1`, "max.message.bytes", "onRefused to Drop", "poison"} {
			if got := w.partition(0).Error; !strings.Contains(got, part) {
				t.Errorf("the partition's error %q does not say %q", got, part)
			}
		}
		r.produceLarge(kgo.NoCompression(), &kgo.Record{Topic: "in", Partition: 1, Value: []byte("3")})
		r.eventually("the other partition goes on", func() bool { return w.partition(1).Committed == 2 })
		if c := r.cluster.GroupOffsets(r.cfg.Input.GroupID)["in"][0].Offset; c != 1 {
			t.Errorf("committed %d, want 1: the record is not settled", c)
		}
		r.eventually("there is nothing to do that a restart would help with", func() bool { return !w.engine.Progress().Work })
		w.stop()
		if err := w.wait(); err != nil {
			t.Errorf("the worker ended with: %v", err)
		}

		w = r.start(failsUnlessNumber, func(c *config.Config) { c.Failure.DeadLetter.OnRefused = config.Drop })
		r.awaitSettled(w)
		if got := w.engine.Status().Totals.RecordsDropped; got != 1 {
			t.Errorf("dropped %d, want 1", got)
		}
		w.drain()
		lines := w.log.lines("dropped a record")
		if len(lines) == 0 || !strings.Contains(lines[0], "raise max.message.bytes") || !strings.Contains(lines[0], "poison") {
			t.Errorf("the log does not say why the record is dropped: %q", lines)
		}
		if len(w.log.lines("set failure.deadLetter.onRefused")) > 0 {
			t.Errorf("the log advises a setting that is made already: %q", lines)
		}
	})
}

// TestDeadLetterTopicThatMayNotBeWrittenTo halts the partition with every onRefused,
// since the refusal is not about the letter.
func TestDeadLetterTopicThatMayNotBeWrittenTo(t *testing.T) {
	r, fake := fakeRig(t, 2)
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "dlq", Err: kerr.TopicAuthorizationFailed, Count: -1})
	r.cluster.Produce(&kgo.Record{Topic: "in", Value: []byte("poison")}, &kgo.Record{Topic: "in", Partition: 1, Value: []byte("2")})
	w := r.start(failsUnlessNumber, func(c *config.Config) { c.Failure.DeadLetter.OnRefused = config.Drop })
	r.eventually("its partition is halted", func() bool { return w.partition(0).State == "halted" })
	if got := w.partition(0).Error; !strings.Contains(got, "operation Write") {
		t.Errorf("the partition's error is %q", got)
	}
	r.eventually("the other partition goes on", func() bool { return w.partition(1).Committed == 1 })
}
