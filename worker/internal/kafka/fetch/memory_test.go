package fetch

import (
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// produceLarge writes n log batches of about a megabyte to each partition.
func produceLarge(c *kafkatest.Cluster, topic string, partitions int32, n int) {
	c.CreateTopic(topic, partitions, map[string]string{"max.message.bytes": "2000000"})
	value := make([]byte, 950_000)
	_, _ = rand.Read(value)
	for p := range partitions {
		for range n {
			c.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(1_000_000)},
				&kgo.Record{Topic: topic, Partition: p, Value: value})
		}
	}
}

// readSlowly has much more waiting than there may be memory for, and a reader
// that keeps each set until nothing more comes. It returns the most memory that
// was in use.
func readSlowly(t *testing.T, c *kafkatest.Cluster, limit int64) (most int64) {
	const partitions, each = 24, 3
	produceLarge(c, "large", partitions, each)
	r := newReader(t, c.Addrs(), Config{Topic: "large", MaxMemory: limit})
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	var kept []*batch.Set
	records, timeout := 0, time.After(testkit.Patience)
	for records < partitions*each {
		most = max(most, r.f.Memory())
		select {
		case s := <-r.f.Sets():
			r.f.Ask(s.Partition)
			kept = append(kept, s)
		case <-time.After(30 * time.Millisecond):
			if len(kept) == 0 {
				break
			}
			s := kept[0]
			kept = kept[1:]
			var b batch.Batch
			for !s.Done() {
				if err := s.Next(&b, 100, 1<<30); err != nil {
					t.Fatal(err)
				}
				records += len(b.Records)
			}
			b.Release()
			s.Release()
		case <-timeout:
			t.Fatalf("only %d records came; %d bytes are in use", records, r.f.Memory())
		}
	}
	for _, s := range kept {
		s.Release()
	}
	testkit.Await(t, "all memory is given back", func() bool { return r.f.Memory() == 0 })
	if n := r.f.memory.budget.Encoded(); n != 0 {
		t.Errorf("%d bytes are said to wait", n)
	}
	return most
}

// beyondAtMost is what may come on top of the limit here: a log batch of 1 MiB,
// and some more if the test is so slow that the reader seems to be stuck.
const beyondAtMost = 4 << 20

func TestFetchedMemoryKeepsToItsLimit(t *testing.T) {
	const limit = 16 << 20
	for name, cluster := range map[string]func(t *testing.T) *kafkatest.Cluster{
		"kfake":  func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Fake(t).Cluster },
		"Apache": func(t *testing.T) *kafkatest.Cluster { return &kafkatest.Shared(t).Cluster },
	} {
		t.Run(name, func(t *testing.T) {
			if most := readSlowly(t, cluster(t), limit); most > limit+beyondAtMost || most < limit/4 {
				t.Errorf("%d KiB were in use, want at most %d", most>>10, limit>>10)
			}
		})
	}
}

// TestStuckPartitionsStarveNoOther has all memory held by partitions that never
// give it back; another one goes on, a log batch at a time.
func TestStuckPartitionsStarveNoOther(t *testing.T) {
	const partitions, each = 6, 8
	fake := kafkatest.Fake(t)
	produceLarge(&fake.Cluster, "large", partitions, each)
	r := newReader(t, fake.Addrs(), Config{Topic: "large", MaxMemory: 4 << 20})
	r.noAsk = true
	var stuck []*batch.Set
	for p := range int32(partitions) {
		r.epochs[p] = r.f.Start(p, 0)
		for range each {
			r.f.Ask(p)
		}
	}
	timeout := time.After(testkit.Patience)
	for r.next[partitions-1] < each {
		select {
		case s := <-r.f.Sets():
			if s.Partition < partitions-1 {
				stuck = append(stuck, s)
				continue
			}
			r.take(s)
		case <-timeout:
			t.Fatalf("the partition got to %d only; %d bytes are in use", r.next[partitions-1], r.f.Memory())
		}
	}
	if held := r.f.Memory(); held > 4<<20+partitions<<20 {
		t.Errorf("%d KiB are in use", held>>10)
	}
	for _, s := range stuck {
		s.Release()
	}
}

// TestPackedSetsLeaveMemoryToUnpack has sets of many partitions fetched and begun.
// Their packed batches must not take the memory that unpacking needs: only unpacking
// frees memory.
func TestPackedSetsLeaveMemoryToUnpack(t *testing.T) {
	const partitions, batches, limit = 8, 20, 4 << 20
	fake := kafkatest.Fake(t)
	fake.CreateTopic("packed", partitions, nil)
	value := make([]byte, 200_000)
	_, _ = rand.Read(value[:len(value)/2])
	for p := range int32(partitions) {
		for range batches {
			fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.SnappyCompression())}, &kgo.Record{Topic: "packed", Partition: p, Value: value})
		}
	}
	r := newReader(t, fake.Addrs(), Config{Topic: "packed", MaxMemory: limit})
	for p := range int32(partitions) {
		r.start(p, 0)
	}
	var begun []*batch.Set
	for more := true; more; {
		select {
		case s := <-r.f.Sets():
			if err := s.Next(&r.batch, 1, 1); err != nil {
				t.Fatal(err)
			}
			r.batch.Release()
			s.Trim()
			begun = append(begun, s)
			r.f.Ask(s.Partition)
		case <-time.After(300 * time.Millisecond):
			more = false
		}
	}
	for _, s := range begun {
		if s.Packed() && !r.f.MayUnpack(s.Partition, s.Needs(), false) {
			t.Errorf("partition %d may not unpack what it holds; %d KiB of %d are in use", s.Partition, r.f.Memory()>>10, limit>>10)
		}
	}
	for _, s := range begun {
		s.Release()
	}
	if n := r.f.memory.budget.Encoded(); n != 0 {
		t.Errorf("%d bytes are said to be encoded", n)
	}
}

// TestSetsAreUnpackedInTheirTurn: a set that waits takes no more memory than it
// came with.
func TestSetsAreUnpackedInTheirTurn(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(8 << 20)},
		&kgo.Record{Topic: "orders", Value: slices.Repeat([]byte("0123456789"), 400_000)})
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 0)
	var s *batch.Set
	for s == nil || s.Empty() {
		s = <-r.f.Sets()
		r.f.Ask(0)
	}
	if used := r.f.Memory(); used > 64<<10 {
		t.Errorf("%d bytes are in use before it is its turn", used)
	}
	if err := s.Next(&r.batch, 10, 1<<30); err != nil || len(r.batch.Records) != 1 {
		t.Fatal(err)
	}
	if used := r.f.Memory(); used < 4_000_000 {
		t.Errorf("%d bytes are in use for an unpacked record of 4 MB", used)
	}
	s.Release()
	if used := r.f.Memory(); used < 4_000_000 {
		t.Errorf("%d bytes are in use while the batch borrows them", used)
	}
	r.batch.Release()
	if used := r.f.Memory(); used != 0 {
		t.Errorf("%d bytes are in use", used)
	}
}
