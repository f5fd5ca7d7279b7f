package produce

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// send plays a partition that takes batches of so many bytes, and returns how
// many requests it takes until all bytes are written.
func (l *batchLimit) send(bytes, allowed int) (requests int) {
	for bytes > 0 {
		size := min(bytes, l.bytes(), defaultMaxBatchBytes)
		requests++
		if size > allowed {
			l.refuse(size)
			continue
		}
		l.accept(size)
		bytes -= size
	}
	return requests
}

func TestBatchLimitIsFoundInFewRequests(t *testing.T) {
	const bytes = 64 << 20
	for _, allowed := range []int{5_000, 50_000, 64 << 10, 100_001, 500_000, 600_000, 1_000_000, 2_000_000} {
		var l batchLimit
		least := bytes/min(allowed, defaultMaxBatchBytes) + 1
		if got := l.send(bytes, allowed); got > least+least/5+12 {
			t.Errorf("%d bytes allowed: %d requests where %d do", allowed, got, least)
		}
		// The topic may take more one day.
		l.tryAgain(time.Now().Add(time.Hour), time.Minute)
		l.send(bytes, 2*allowed)
		least = bytes/min(2*allowed, defaultMaxBatchBytes) + 1
		if got := l.send(bytes, 2*allowed); got > least+least/5+12 {
			t.Errorf("%d bytes allowed later: %d requests where %d do", 2*allowed, got, least)
		}
	}
}

func TestSmallMaxMessageBytesIsLearntOnce(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, map[string]string{"max.message.bytes": "50000"})
	requests := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Count: -1, Observe: true})
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour, MaxBufferedBytes: 64 << 20})
	for range 20_000 {
		w.write(0, 500)
	}
	w.check(&fake.Cluster)
	w.expectClean()
	if got := requests.Hits(); got > 270 {
		t.Errorf("%d requests where 210 do", got)
	}
}
