package fetch

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestBrokerWithoutWatermarks reads an idle partition of a broker that does not say
// where the stable records end, or nothing at all: it is asked with a long poll as
// any other.
func TestBrokerWithoutWatermarks(t *testing.T) {
	for name, marks := range map[string]watermarks{"no stable offset": {1, -1, 0}, "none": {-1, -1, -1}} {
		t.Run(name, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("orders", 1, nil)
			fake.Produce(&kgo.Record{Topic: "orders", Value: []byte("x")})
			var atOnce, held atomic.Int32
			fake.Faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
				fake.Faults.KeepControl()
				req := kreq.(*kmsg.FetchRequest)
				if req.MaxWaitMillis == 0 {
					atOnce.Add(1)
				} else {
					held.Add(1)
					wait := time.After(time.Duration(req.MaxWaitMillis) * time.Millisecond)
					fake.Faults.SleepControl(func() { <-wait })
				}
				res := req.ResponseKind().(*kmsg.FetchResponse)
				topic, p := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
				topic.Topic, topic.TopicID = req.Topics[0].Topic, req.Topics[0].TopicID
				p.HighWatermark, p.LastStableOffset, p.LogStartOffset = marks.high, marks.stable, marks.start
				topic.Partitions = append(topic.Partitions, p)
				res.Topics = append(res.Topics, topic)
				return res, nil, true
			})
			r := newReader(t, fake.Addrs(), Config{Topic: "orders", Isolation: config.ReadCommitted, MaxWait: 50 * time.Millisecond})
			r.start(0, 1)
			fake.Eventually("several long polls", func() bool {
				select {
				case s := <-r.f.Sets():
					r.take(s)
				default:
				}
				return held.Load() >= 5
			})
			if n := atOnce.Load(); n > 2 {
				t.Errorf("asked %d times for an answer at once", n)
			}
		})
	}
}
