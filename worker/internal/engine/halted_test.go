package engine_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// produceDamaged writes a log batch of one record that claims to be compressed and
// is not; kfake stores it without looking at its content.
func (r *rig) produceDamaged(partition int32) {
	r.t.Helper()
	batch := kmsg.RecordBatch{
		Magic: 2, Attributes: 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: 1, Records: []byte("this is not gzip"),
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 5000
	topic, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	part.Partition, part.Records = partition, raw
	topic.Topic, topic.Partitions = "in", append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	client := r.cluster.Client(kgo.MaxVersions(kversion.V2_4_0())) // which names topics, not ids
	defer client.Close()
	res, err := client.Request(context.Background(), req)
	if err == nil {
		err = kerr.ErrorForCode(res.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		r.t.Fatalf("produce a damaged batch: %v", err)
	}
}

// deleteBefore deletes the records before an offset, as retention does.
func (r *rig) deleteBefore(partition int32, offset int64) {
	r.t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = 5000
	topic, part := kmsg.NewDeleteRecordsRequestTopic(), kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, offset
	topic.Topic, topic.Partitions = "in", append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	client := r.cluster.Client()
	defer client.Close()
	res, err := client.Request(context.Background(), req)
	if err == nil {
		err = kerr.ErrorForCode(res.(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		r.t.Fatalf("delete records: %v", err)
	}
}

// partition returns the status of a partition of a worker with one member.
func (w *running) partition(id int32) workerstatus.Partition {
	for _, p := range w.engine.Status().Members[0].Partitions {
		if p.Partition == id {
			return p
		}
	}
	return workerstatus.Partition{State: "not owned"}
}

// awaitHalted waits until a partition is halted and nothing of it is in flight.
func (w *running) awaitHalted(r *rig, id int32) workerstatus.Partition {
	w.t.Helper()
	r.eventually("the partition is halted", func() bool {
		p := w.partition(id)
		return p.State == "halted" && p.InFlight.Records == 0 && p.Committed == p.Position
	})
	return w.partition(id)
}

// TestDamagedPartitionIsHaltedAlone has a batch that can't be read in one of two
// partitions. The other one goes on, the records before the damage are committed,
// and the worker stays alive until retention has passed the place.
func TestDamagedPartitionIsHaltedAlone(t *testing.T) {
	engine.LookAgainEvery(t, 50*time.Millisecond)
	r, _ := fakeRig(t, 2)
	r.produce(0, 100, 2)
	r.produceDamaged(0)
	r.produce(100, 100, 2)
	w := r.start(identity)
	p := w.awaitHalted(r, 0)
	if p.Watermark != 50 || p.Committed != 50 || p.Lag != 51 {
		t.Errorf("watermark %d, committed %d, lag %d; want 50, 50 and 51", p.Watermark, p.Committed, p.Lag)
	}
	for _, word := range []string{`topic "in"`, "partition 0", "offset 50", "gzip", "healthy replica"} {
		if !strings.Contains(p.Error, word) {
			t.Errorf("the error %q does not say %q", p.Error, word)
		}
	}
	r.produce(200, 100, 2)
	r.eventually("the other partition goes on", func() bool { return w.partition(1).Watermark == 150 })
	r.eventually("lag grows", func() bool { return w.partition(0).Lag == 101 })
	if err := w.engine.Ready(); err != nil {
		t.Errorf("not ready: %v", err)
	}
	if s := w.engine.Status(); s.Error != "" || w.engine.Progress().Work {
		t.Errorf("the worker has the error %q, and work is %v", s.Error, w.engine.Progress().Work)
	}

	r.deleteBefore(0, 51)
	r.eventually("it is read again", func() bool { return w.partition(0).State == "running" && w.partition(0).Watermark == 151 })
	if p := w.partition(0); p.Error != "" {
		t.Errorf("it still has the error %q", p.Error)
	}
	w.drain()
	wantEach(t, r.values("out"), 0, 300, false)
}

// TestHaltedPartitionIsGivenUpLikeAnother stops a worker, and lets another take
// over, while a partition is halted.
func TestHaltedPartitionIsGivenUpLikeAnother(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.produce(0, 100, 2)
	r.produceDamaged(0)
	first := r.start(identity)
	first.awaitHalted(r, 0)
	second := r.start(identity)
	r.eventually("each has a partition", func() bool {
		return len(first.engine.Status().Members[0].Partitions) == 1 && len(second.engine.Status().Members[0].Partitions) == 1
	})
	first.drain()
	second.awaitHalted(r, 0)
	second.drain()
	wantEach(t, r.values("out"), 0, 100, false)
}

// TestFetchErrorOfAPartitionHaltsItAlone has a broker refuse one partition for a
// reason that does not pass by itself.
func TestFetchErrorOfAPartitionHaltsItAlone(t *testing.T) {
	engine.LookAgainEvery(t, 50*time.Millisecond)
	r, fake := fakeRig(t, 2)
	r.produce(0, 100, 2)
	fault := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch}, Topic: "in", Partitions: []int32{0}, Err: kerr.UnsupportedCompressionType, Count: 5,
	})
	w := r.start(identity)
	r.eventually("it is halted", func() bool { return w.partition(0).State == "halted" || fault.Hits() == 5 })
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, 100, false)
}

// TestOldFormatHaltsItsPartition has a broker answer with a message of format v1,
// which an upgraded cluster may still hold.
func TestOldFormatHaltsItsPartition(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.produce(0, 100, 2)
	const sizeOfV1 = 22
	message := make([]byte, 12+sizeOfV1)
	binary.BigEndian.PutUint32(message[8:], sizeOfV1)
	message[16] = 1 // the format
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		for _, asked := range req.Topics {
			if !slices.ContainsFunc(asked.Partitions, func(p kmsg.FetchRequestTopicPartition) bool { return p.Partition == 0 }) {
				continue
			}
			res := req.ResponseKind().(*kmsg.FetchResponse)
			topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
			part.HighWatermark, part.LastStableOffset, part.LogStartOffset, part.RecordBatches = 50, 50, 0, message
			topic.Topic, topic.TopicID, topic.Partitions = asked.Topic, asked.TopicID, append(topic.Partitions, part)
			res.Topics = append(res.Topics, topic)
			return res, nil, true
		}
		return nil, nil, false
	})
	w := r.start(identity)
	r.eventually("the partition is halted", func() bool { return w.partition(0).State == "halted" })
	for _, word := range []string{`topic "in"`, "partition 0", "offset 0", "v1"} {
		if got := w.partition(0).Error; !strings.Contains(got, word) {
			t.Errorf("the error %q does not say %q", got, word)
		}
	}
	r.eventually("the other partition goes on", func() bool { return w.partition(1).Watermark == 50 })
	w.drain()
}

// TestBatchThatUnpacksToTooMuchHaltsItsPartition has a batch of a few kilobytes
// that holds more than all input may take.
func TestBatchThatUnpacksToTooMuchHaltsItsPartition(t *testing.T) {
	r, _ := fakeRig(t, 2)
	r.cfg.InFlight.Bytes = 1 << 20
	r.produce(0, 100, 2)
	r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(32 << 20)},
		&kgo.Record{Topic: "in", Value: make([]byte, 20<<20)})
	w := r.start(identity)
	p := w.awaitHalted(r, 0)
	for _, word := range []string{`topic "in"`, "partition 0", "offset 50", "raise inFlight.bytes", "commit offset 51"} {
		if !strings.Contains(p.Error, word) {
			t.Errorf("the error %q does not say %q", p.Error, word)
		}
	}
	r.eventually("the other partition goes on", func() bool { return w.partition(1).Watermark == 50 })
	w.drain()
	wantEach(t, r.values("out"), 0, 100, false)
}

// TestApacheDamagedLogIsHaltedUntilItIsRepaired flips a bit in a segment of the
// broker's log, and back.
func TestApacheDamagedLogIsHaltedUntilItIsRepaired(t *testing.T) {
	engine.LookAgainEvery(t, 100*time.Millisecond)
	r, broker := apacheRig(t, 2)
	r.produce(0, 100, 2)
	r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression())}, &kgo.Record{Topic: "in", Value: []byte("100")})
	r.produce(101, 99, 2)
	flip := func() { flipByte(t, broker.LogDir("in", 0), []byte("\x06100")) }
	flip()
	w := r.start(identity)
	p := w.awaitHalted(r, 0)
	if p.Watermark != 50 || !strings.Contains(p.Error, "offset 50") || !strings.Contains(p.Error, "checksum") {
		t.Errorf("watermark %d, error %q", p.Watermark, p.Error)
	}
	r.eventually("the other partition goes on", func() bool { return w.partition(1).Lag == 0 && w.partition(1).Watermark > 0 })
	flip()
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.values("out"), 0, 200, false)
}

// flipByte inverts the byte behind the only place in a partition's log where
// pattern is.
func flipByte(t *testing.T, dir string, pattern []byte) {
	t.Helper()
	path := filepath.Join(dir, "00000000000000000000.log")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndex(string(data), string(pattern))
	if i < 0 {
		i = strings.LastIndex(string(data), string(inverted(pattern)))
	}
	if i < 0 {
		t.Fatalf("%q is not in %s", pattern, path)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	last := i + len(pattern) - 1
	if _, err := file.WriteAt([]byte{^data[last]}, int64(last)); err != nil {
		t.Fatal(err)
	}
}

// inverted returns pattern with its last byte flipped.
func inverted(pattern []byte) []byte {
	p := slices.Clone(pattern)
	p[len(p)-1] = ^p[len(p)-1]
	return p
}
