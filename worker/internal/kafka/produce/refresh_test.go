package produce

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func valueOf(n int32) string { return fmt.Sprintf("%d/", n) }

// onFakeAndApache runs a test on both brokers.
func onFakeAndApache(t *testing.T, test func(t *testing.T, c *kafkatest.Cluster)) {
	t.Helper()
	t.Run("fake", func(t *testing.T) { test(t, &kafkatest.Fake(t).Cluster) })
	t.Run("apache", func(t *testing.T) { test(t, &kafkatest.Shared(t).Cluster) })
}

// writeKey appends the next record with a key, where the default partitioner
// puts it.
func (w *writing) writeKey(key string) int32 {
	w.t.Helper()
	n := w.number()
	m := &batch.Message{Key: []byte(key), Value: []byte(valueOf(n)), Timestamp: time.Now().UnixMilli()}
	if err := w.w.Append(context.Background(), ByKey(), m, batch.Origin{Owner: w, Index: n}); err != nil {
		w.t.Errorf("append record %d: %v", n, err)
	}
	return n
}

// keyedTopic makes a topic that no other test uses, and a Producer for it.
func keyedTopic(t *testing.T, c *kafkatest.Cluster, name string, partitions int32) *writing {
	t.Helper()
	if c.Partitions("out") == 0 {
		c.CreateTopic("out", 1, nil)
	}
	c.CreateTopic(name, partitions, nil)
	w := newWriting(t, c.Addrs(), Config{MetadataMaxAge: 50 * time.Millisecond, Linger: time.Millisecond})
	w.onTopic(name)
	return w
}

// After a topic has grown, producers that were there before put keys where those
// put them that came later, and where other clients do.
func TestGrownTopicIsNoticed(t *testing.T) {
	onFakeAndApache(t, func(t *testing.T, c *kafkatest.Cluster) {
		w := keyedTopic(t, c, "produce-grown", 2)
		w.writeKey("before")
		w.flush()
		c.AddPartitions("produce-grown", 6)
		testkit.Await(t, "all partitions are known", func() bool { return w.w.Partitions() == 6 })
		if n := w.log.Count(`more partitions`); n != 1 {
			t.Errorf("%d lines about it", n)
		}
		first := w.next
		for i := range 60 {
			w.writeKey(fmt.Sprint("key-", i))
		}
		w.check(c)
		w.expectClean()
		theirs := kgo.StickyKeyPartitioner(nil).ForTopic("produce-grown")
		for n := first; n < w.next; n++ {
			key := fmt.Sprint("key-", n-first)
			if want := theirs.Partition(&kgo.Record{Key: []byte(key)}, 6); int(w.acks[n].partition) != want {
				t.Errorf("key %s is in partition %d, want %d", key, w.acks[n].partition, want)
			}
		}
	})
}

// Records that wait for partitions which a topic does not have any more go to the
// present ones, each key's records in their order. Records that wait for the others
// stay there.
func TestTopicCreatedAgainWithFewerPartitions(t *testing.T) {
	onFakeAndApache(t, func(t *testing.T, c *kafkatest.Cluster) {
		const name, keys = "produce-fewer", 40
		w := keyedTopic(t, c, name, 8)
		round := func() {
			for k := range keys {
				w.writeKey(fmt.Sprint("key-", k))
			}
		}
		round()
		w.flush()
		c.DeleteTopic(name)
		for range 5 {
			round()
		}
		testkit.Await(t, "writers notice that it is gone", func() bool { return w.log.Count("wait for a leader") > 0 })
		gone := w.settled() // went with the topic
		for range 5 {
			round()
		}
		c.CreateTopic(name, 3, nil)
		for range 20 {
			round()
			time.Sleep(50 * time.Millisecond) // while queues are moved
		}
		w.flush()
		w.expectClean()
		if got := w.w.Partitions(); got != 3 {
			t.Errorf("%d partitions are known, want 3", got)
		}
		if n := w.log.Count("fewer partitions"); n != 1 {
			t.Errorf("%d lines about it", n)
		}
		w.checkKeys(c, gone, 8)
	})
}

// checkKeys expects that all but gone records are in the topic once, where the
// default partitioner puts them or put them when there were before partitions,
// and those of a key in order.
func (w *writing) checkKeys(c *kafkatest.Cluster, gone int, before int32) {
	w.t.Helper()
	partitions := c.Partitions(w.topic)
	seen, last := map[int]bool{}, map[string]int{}
	for _, rec := range c.ConsumeAll(w.topic, kgo.ReadUncommitted()) {
		text, _, _ := strings.Cut(string(rec.Value), "/")
		n, err := strconv.Atoi(text)
		if err != nil || seen[n] {
			w.t.Fatalf("offset %d holds %q (%v), seen before: %v", rec.Offset, rec.Value, err, seen[n])
		}
		seen[n] = true
		if want := partitionOf(rec.Key, partitions); rec.Partition != want && rec.Partition != partitionOf(rec.Key, before) {
			w.t.Errorf("record %d of key %s is in partition %d, want %d", n, rec.Key, rec.Partition, want)
		}
		row := fmt.Sprint(rec.Partition, string(rec.Key))
		if before, ok := last[row]; ok && before > n {
			w.t.Errorf("key %s: record %d comes after %d in partition %d", rec.Key, n, before, rec.Partition)
		}
		last[row] = n
	}
	if want := int(w.next) - gone; len(seen) != want {
		w.t.Errorf("%d records are in the topic, want %d", len(seen), want)
	}
}

// A broker that lags behind names fewer partitions for a moment.
func TestFewerPartitionsHaveToBeConfirmed(t *testing.T) {
	w := idleTopic(4)
	w.learn([]int32{1, 1}, nil)
	if got := w.Partitions(); got != 4 {
		t.Fatalf("%d partitions after one answer of 2", got)
	}
	w.learn([]int32{1, 1, 1, 1}, nil)
	if w.shrink.fewer != 0 || w.layout.Load().away != nil {
		t.Errorf("after an answer of 4: %+v, away %v", w.shrink, w.layout.Load().away)
	}
	w.learn([]int32{1, 1}, nil)
	w.shrink.since = w.shrink.since.Add(-fewerConfirmed)
	w.learn([]int32{1, 1}, nil)
	if got := w.Partitions(); got != 2 {
		t.Errorf("%d partitions, want 2", got)
	}
}
