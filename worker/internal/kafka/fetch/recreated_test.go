package fetch

import (
	"errors"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestRecreatedTopicIsNoticedByWhoWaits: while its reader asks for nothing the topic
// is created again, and no request is there to fail.
func TestRecreatedTopicIsNoticedByWhoWaits(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 10)...)
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	id, err := r.f.router.client.TopicID(testkit.Context(t), "orders")
	if err != nil || id == (kafka.TopicID{}) {
		t.Fatalf("topic id %x, %v", id, err)
	}
	r.noAsk = true
	r.epochs[0] = r.f.StartAt(0, Position{LeaderEpoch: -1, TopicID: id})
	r.reads(map[int32]int64{0: 10})
	fake.DeleteTopic("orders")
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 20)...)

	r.f.table.mu.Lock()
	r.f.table.cursors[0].servedAt = time.Now().Add(-2 * lookAgainAfter)
	r.f.table.mu.Unlock()
	r.f.Ask(0)
	r.until("the error", func() bool { return r.errs[0] != nil })
	recreated, ok := errors.AsType[*TopicRecreatedError](r.errs[0])
	if !ok || recreated.Offset != 10 || recreated.Former != id || recreated.Present == id {
		t.Errorf("got %v", r.errs[0])
	}
}
