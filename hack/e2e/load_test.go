//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// load writes records to a topic until it is stopped. The value of each record is its number.
type load struct {
	client *kgo.Client
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	written int   // guarded by mu; records whose write was acknowledged
	err     error // guarded by mu; why one was not
}

// startLoad starts to write perSecond records per second, numbered from first.
func (s *suite) startLoad(topic string, first, perSecond int) *load {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{
		client: s.kafka.Client(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil))),
		cancel: cancel, done: make(chan struct{}),
	}
	s.Cleanup(cancel)
	go l.run(ctx, first, perSecond)
	return l
}

func (l *load) run(ctx context.Context, first, perSecond int) {
	defer close(l.done)
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for n := first; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// The client retries while a broker is away.
			l.client.Produce(context.Background(), numbered(n), l.acknowledged)
		}
	}
}

func (l *load) acknowledged(_ *kgo.Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written++
	if err != nil {
		l.err = err
	}
}

// stop ends the load and returns how many records it has written.
func (l *load) stop(s *suite) int {
	s.Helper()
	l.cancel()
	<-l.done
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.client.Flush(ctx); err != nil {
		s.Fatalf("flush the records of the load: %v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		s.Fatalf("the load could not write: %v", l.err)
	}
	return l.written
}

// numbered returns the record with that number.
func numbered(n int) *kgo.Record {
	return &kgo.Record{
		Key:     fmt.Appendf(nil, "customer-%d", n%97),
		Value:   fmt.Appendf(nil, "%08d", n),
		Headers: []kgo.RecordHeader{{Key: "origin", Value: []byte("e2e")}},
	}
}

// expectNumbered waits until the group of a StreamProcessor that copies in to out has committed
// the end of in. Then every record from 0 to count has to be in out. It returns the number of
// duplicates.
func (s *suite) expectNumbered(name, in, out string, count int) (doubled int) {
	s.Helper()
	s.awaitSettled(name, in)
	seen := map[string]int{}
	for _, r := range s.kafka.ConsumeAll(out, kgo.ReadCommitted()) {
		seen[string(r.Value)]++
	}
	lost := 0
	for n := range count {
		switch times := seen[fmt.Sprintf("%08d", n)]; times {
		case 0:
			lost++
		default:
			doubled += times - 1
		}
	}
	if lost > 0 {
		s.Errorf("%d of %d records are lost", lost, count)
	}
	if others := len(seen) - (count - lost); others > 0 {
		s.Errorf("the output has %d records that the load did not write", others)
	}
	return doubled
}

// awaitSettled waits until a group has committed the end of a topic.
func (s *suite) awaitSettled(name, topic string) {
	s.Helper()
	s.await("commits up to the end of topic "+topic, patience, func() error {
		committed := s.kafka.GroupOffsets(group(name))[topic]
		for partition, end := range s.kafka.EndOffsets(topic, kgo.ReadUncommitted()) {
			if at := committed[partition].Offset; at != end {
				return fmt.Errorf("partition %d is committed up to %d of %d", partition, at, end)
			}
		}
		return nil
	})
}

// grow adds partitions to a topic.
func (s *suite) grow(topic string, partitions int32) {
	s.Helper()
	grown := kmsg.NewCreatePartitionsRequestTopic()
	grown.Topic, grown.Count = topic, partitions
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.Topics = append(request.Topics, grown)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	response, err := request.RequestWith(ctx, s.kafka.Client())
	if err != nil {
		s.Fatalf("grow topic %s: %v", topic, err)
	}
	if code := response.Topics[0].ErrorCode; code != 0 {
		s.Fatalf("grow topic %s: error %d", topic, code)
	}
	s.await("the grown topic", patience, func() error {
		if n := s.kafka.Partitions(topic); n != partitions {
			return fmt.Errorf("it has %d partitions", n)
		}
		return nil
	})
}
