package drive

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// reader reads a topic as another program would.
type reader struct {
	client *kgo.Client
	addrs  []string
	topic  string
	take   func(*kgo.Record)
	stop   context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	ended map[int32]bool // partitions that are read to the end; guarded by mu
}

// startReader starts to read a topic, which exists. take gets each record.
func startReader(addrs []string, topic string, delivery config.Delivery, take func(*kgo.Record)) (*reader, error) {
	isolation := kgo.ReadUncommitted()
	if delivery == config.ExactlyOnce {
		isolation = kgo.ReadCommitted()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation),
		kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMaxAge(5*time.Second), kgo.MetadataMinAge(200*time.Millisecond), kgo.FetchMaxWait(time.Second),
	)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &reader{client: client, addrs: addrs, topic: topic, take: take, stop: stop, done: make(chan struct{}), ended: map[int32]bool{}}
	go r.run(ctx)
	return r, nil
}

func (r *reader) run(ctx context.Context) {
	defer close(r.done)
	for ctx.Err() == nil {
		r.client.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			for _, h := range rec.Headers {
				if h.Key == workload.HeaderEnd {
					r.mu.Lock()
					r.ended[rec.Partition] = true
					r.mu.Unlock()
					return
				}
			}
			r.take(rec)
		})
	}
}

// close stops reading.
func (r *reader) close() {
	r.stop()
	<-r.done
	r.client.Close()
}

// finish writes a last record into each partition and waits until they are read.
func (r *reader) finish(ctx context.Context, partitions int32) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(r.addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer client.Close()
	for p := range partitions {
		end := &kgo.Record{Topic: r.topic, Partition: p, Headers: []kgo.RecordHeader{{Key: workload.HeaderEnd}}}
		if err := client.ProduceSync(ctx, end).FirstErr(); err != nil {
			return fmt.Errorf("write the last record of %s/%d: %w", r.topic, p, err)
		}
	}
	return await(ctx, fmt.Sprintf("topic %s is read to its ends", r.topic), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.ended) == int(partitions)
	})
}
