package fetch

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestFetcherUnderFire starts, stops and restarts partitions in a random order
// while leaders move, connections break and brokers answer errors; batches are
// released late, by other goroutines. In the end each start must have given its
// partition's records from its offset on, in order and without a hole.
func TestFetcherUnderFire(t *testing.T) {
	const partitions, count, goal = 6, 2000, 60_000
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	fake := kafkatest.Fake(t, kfake.NumBrokers(3))
	fake.CreateTopic("orders", partitions, nil)
	for p := range int32(partitions) {
		codec := []kgo.CompressionCodec{kgo.NoCompression(), kgo.ZstdCompression(), kgo.Lz4Compression()}[p%3]
		fake.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(2000)}, numbered("orders", p, 0, count)...)
	}
	faults := []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.FencedLeaderEpoch}
	r := newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 10_000, MaxWait: 20 * time.Millisecond})

	var users sync.WaitGroup
	next := make([]int64, partitions)
	epochs := make([]uint64, partitions)
	restart := func(p int32) {
		next[p] = random.Int64N(count)
		epochs[p] = r.f.Start(p, next[p])
	}
	for p := range int32(partitions) {
		restart(p)
	}
	timeout := time.After(2 * testkit.Patience)
	for read := 0; read < goal; {
		var s *batch.Set
		select {
		case s = <-r.f.Sets():
		case <-timeout:
			t.Fatalf("seed %d: stuck after %d records; next %v", seed, read, next)
		}
		p := s.Partition
		if s.Epoch != epochs[p] {
			s.Release()
			continue
		}
		if s.Err != nil {
			t.Fatalf("seed %d: %v", seed, s.Err)
		}
		r.f.Ask(p)
		for !s.Done() {
			b := new(batch.Batch)
			if err := s.Next(b, 1+random.IntN(300), 1+random.IntN(5000)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if b.First != next[p] {
				t.Fatalf("seed %d: partition %d: a batch from %d where %d is next", seed, p, b.First, next[p])
			}
			next[p] = b.Next
			read += len(b.Records)
			users.Go(func() {
				defer b.Release()
				for i := range b.Records {
					number, _ := strconv.ParseInt(strings.TrimPrefix(string(b.Records[i].Value), fmt.Sprintf("%d/", p)), 10, 64)
					if number != b.Records[i].Offset || number != b.First+int64(i) {
						t.Errorf("seed %d: offset %d of partition %d has %q", seed, b.Records[i].Offset, p, b.Records[i].Value)
					}
				}
			})
		}
		s.Release()
		switch dice := random.IntN(60); {
		case next[p] == count || dice == 0:
			restart(p)
		case dice == 1:
			r.f.Stop(p)
			restart(p)
		case dice == 2:
			if err := fake.Faults.MoveTopicPartition("orders", random.Int32N(partitions), random.Int32N(3)); err != nil {
				t.Fatal(err)
			}
		case dice == 3:
			fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "orders", Partitions: []int32{random.Int32N(partitions)}, Err: faults[random.IntN(len(faults))]})
		case dice == 4:
			fake.Faults.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, fmt.Errorf("closed by the test"), true })
		}
	}
	r.f.Close()
	users.Wait()
	testkit.Await(t, "no goroutine is left", func() bool { return len(fetchGoroutines()) == 0 })
}
