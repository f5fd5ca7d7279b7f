package drive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/workload"
)

// keysPerPartition is the number of keys of an input partition. Most records have one of
// the first few (Zipf).
const keysPerPartition = 300

// generator writes the input. It knows each record's offset before it writes it, since
// nobody else writes there.
type generator struct {
	client  *kgo.Client
	topic   string
	rate    int // records a second
	checker *check.Checker
	draw    func(*rand.Rand) workload.Kind

	mu   sync.Mutex // guards all below
	pick *rand.Rand
	keys *rand.Zipf
	next []int64            // by partition: the sequence number of the next record
	seqs map[[2]int64]int64 // by partition and key: the same
}

func newGenerator(addrs []string, s shape, c *check.Checker) (*generator, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(workload.MaxMessageBytes), kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(1<<20), kgo.MaxBufferedBytes(256<<20), kgo.MetadataMinAge(200*time.Millisecond),
	)
	if err != nil {
		return nil, err
	}
	pick := rand.New(rand.NewPCG(s.seed, 1))
	return &generator{
		client: client, topic: s.names.Input, rate: s.rate, checker: c, draw: s.draw,
		pick: pick, keys: rand.NewZipf(pick, 1.2, 4, keysPerPartition-1),
		next: make([]int64, s.partitions), seqs: map[[2]int64]int64{},
	}, nil
}

// tick is the time between two bursts.
const tick = 20 * time.Millisecond

// run writes records until ctx ends, and returns when all of them are acknowledged.
func (g *generator) run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for begun, written := time.Now(), 0; ctx.Err() == nil; {
		due := int(time.Since(begun).Seconds() * float64(g.rate))
		for ; written < due; written++ {
			g.write(-1)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err := g.client.Flush(flush); err != nil {
		return fmt.Errorf("write the last records of the input: %w", err)
	}
	return nil
}

// inject writes one record of a kind and returns its ID.
func (g *generator) inject(kind workload.Kind) workload.ID { return g.write(int(kind)) }

// write writes a record of a kind, or of one that is drawn if kind is below 0.
func (g *generator) write(kind int) workload.ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := workload.ID{Partition: g.pick.Int32N(int32(len(g.next))), Kind: workload.Kind(max(kind, 0))}
	if kind < 0 {
		id.Kind = g.draw(g.pick)
	}
	id.Seq = g.next[id.Partition]
	g.next[id.Partition]++
	if id.Key = -1; id.Kind != workload.NullKey {
		id.Key = int(g.keys.Uint64())
		key := [2]int64{int64(id.Partition), int64(id.Key)}
		id.KeySeq = g.seqs[key]
		g.seqs[key]++
	}
	record := &kgo.Record{
		Topic: g.topic, Partition: id.Partition, Key: id.KeyBytes(), Value: id.Value(),
		Headers: []kgo.RecordHeader{{Key: workload.HeaderID, Value: []byte(id.String())}},
	}
	// Under the lock: the order of the calls is that of the offsets.
	g.client.Produce(context.Background(), record, func(r *kgo.Record, err error) { g.acknowledged(id, r, err) })
	return id
}

func (g *generator) acknowledged(id workload.ID, r *kgo.Record, err error) {
	now := time.Now()
	switch {
	case err != nil:
		g.checker.Violate(check.Harness, now, "the input's record %q could not be written: %v", id, err)
	case r.Offset != id.Seq:
		g.checker.Violate(check.Harness, now, "the input's record %q was written at offset %d", id, r.Offset)
	default:
		g.checker.Input(id, now)
	}
}

// grow makes the generator write into more partitions, which exist already. It waits
// until its client knows them.
func (g *generator) grow(ctx context.Context, partitions int32) error {
	err := await(ctx, "the generator's client knows the new partitions", func() bool {
		g.client.ForceMetadataRefresh()
		leader, _, err := g.client.PartitionLeader(g.topic, partitions-1)
		return err == nil && leader >= 0
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.next) < int(partitions) {
		g.next = append(g.next, 0)
	}
	return nil
}

// ends returns the end of each partition.
func (g *generator) ends() []int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int64(nil), g.next...)
}
