package produce

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The vectors are those of Kafka's own tests.
func TestMurmur2IsJavas(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(Murmur2([]byte(key))); got != want {
			t.Errorf("%q: got %d, want %d", key, got, want)
		}
	}
}

func TestPartitionForIsThatOfOtherClients(t *testing.T) {
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic("orders")
	random := rand.New(rand.NewPCG(1, 2))
	for _, count := range []int{1, 2, 7, 12, 1000} {
		l := &topicLayout{queues: make([]*partitionQueue, count)}
		for i := range l.queues {
			l.queues[i] = &partitionQueue{partition: int32(i)}
		}
		for length := range 200 {
			key := make([]byte, length)
			for i := range key {
				key[i] = byte(random.Uint32())
			}
			want := theirs.Partition(&kgo.Record{Key: key}, count)
			if got := l.queue(ByKey(), key).partition; int(got) != want {
				t.Fatalf("key %x of %d partitions: got %d, want %d", key, count, got, want)
			}
		}
	}
}
