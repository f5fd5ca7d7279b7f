package produce

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// One record that a broker fails on takes no other with it.
func TestOnlyTheRecordThatIsRefusedWithoutAReasonIsGivenUp(t *testing.T) {
	for _, code := range []int16{kerr.UnknownServerError.Code, 12_345, kerr.PolicyViolation.Code} {
		fake := kafkatest.Fake(t)
		fake.CreateTopic("out", 1, nil)
		w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour, DeliveryTimeout: 300 * time.Millisecond})
		refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
			res.ErrorCode = code
			return bytes.Contains(b.Records, []byte("77/"))
		})
		for range 100 {
			w.write(0, 10)
		}
		w.check(&fake.Cluster)
		if len(w.errs) != 1 || !errors.Is(w.errs[77], ErrNotDelivered) {
			t.Errorf("refused: %v", w.errs)
		}
		testkit.ExpectError(t, w.errs[77], ErrNotDelivered, `topic "out", partition 0`, "output.deliveryTimeout (300ms)")
		if len(w.fatal) > 0 {
			t.Errorf("fatal: %v", w.fatal)
		}
	}
}

// A partition that refuses everything gets every record to the policy, in time,
// and is written to in order again once it has recovered.
func TestPartitionThatRefusesEverything(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond, DeliveryTimeout: 300 * time.Millisecond})
	w.write(0, 10)
	w.write(1, 10)
	w.flush()
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.UnknownServerError, Count: -1,
	})
	for i := range int32(2000) {
		w.write(i%2, 100)
	}
	testkit.Await(t, "all of partition 1 is given up", func() bool { return w.settled() == 2002 })
	if hits := faults.Hits(); hits > 200 {
		t.Errorf("%d requests were refused", hits)
	}
	faults.Remove()
	for i := range int32(100) {
		w.write(i%2, 100)
	}
	w.check(&fake.Cluster)
	if len(w.errs) != 1000 {
		t.Errorf("%d records are given up, want 1000", len(w.errs))
	}
}

// Neither the records nor the broker are at fault in an outage.
func TestOutagesDoNotUseUpTheDeliveryTimeout(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.LeaderNotAvailable, kerr.RequestTimedOut, kerr.ThrottlingQuotaExceeded} {
		fake := kafkatest.Fake(t)
		fake.CreateTopic("out", 1, nil)
		w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond, DeliveryTimeout: time.Millisecond})
		fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.UnknownServerError})
		faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: fault, Count: 5})
		w.write(0, 10)
		w.check(&fake.Cluster)
		w.expectClean()
		if faults.Hits() != 5 {
			t.Errorf("%s: %d refusals", fault.Message, faults.Hits())
		}
	}
}

// However long the outage is between two refusals, they count for a moment.
func TestOutageBetweenRefusalsDoesNotCount(t *testing.T) {
	var r refusals
	now := time.Now()
	for range 3 {
		r.add(now)
		now = now.Add(time.Hour)
	}
	if r.total > 2*longestRefusal {
		t.Errorf("three refusals in two hours of outages count for %v", r.total)
	}
	r = refusals{}
	for range 11 {
		r.add(now)
		now = now.Add(time.Second)
	}
	if r.total != 10*time.Second {
		t.Errorf("refusals for ten seconds count for %v", r.total)
	}
}

// A batch that was given up may be stored: the broker must not take the next batch for
// it.
func TestNextBatchIsNotTakenForOneThatWasGivenUp(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour, DeliveryTimeout: 100 * time.Millisecond})
	w.write(0, 10)
	w.flush()
	faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.UnknownServerError, Count: -1})
	w.write(0, 10)
	w.flush()
	faults.Remove()
	w.write(0, 10)
	w.check(&fake.Cluster)
	w.p.Close()
	if q := w.w.layout.Load().queues[0]; q.sequence != 1 {
		t.Errorf("the sequence goes on to %d behind a batch that was given up, want a new one", q.sequence)
	}
}

// The compression of dead letters is not for the user to choose, and old clusters
// don't know it.
func TestCompressionThatNobodyHasChosenGivesWay(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	fake.CreateTopic("letters", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
	var err error
	if w.w, err = w.p.Topic(t.Context(), "letters", TopicOptions{Compression: config.Zstd}); err != nil {
		t.Fatal(err)
	}
	w.topic = "letters"
	w.write(0, 1000)
	w.flush()
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "letters", Err: kerr.UnsupportedCompressionType})
	w.write(0, 1000)
	w.check(&fake.Cluster)
	w.expectClean()
	var codecs []uint8
	for _, rec := range fake.ConsumeAll("letters", kgo.ReadUncommitted()) {
		codecs = append(codecs, rec.Attrs.CompressionType())
	}
	if want := []uint8{uint8(compress.Zstd), uint8(compress.Gzip)}; !slices.Equal(codecs, want) {
		t.Errorf("codecs %v, want %v", codecs, want)
	}
}
