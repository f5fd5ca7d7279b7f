package engine_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestSmallMetadataHoldsUpNoCommit: the brokers keep less metadata than a commit
// has, since a record is stuck and the commit holds a map of the settled records behind
// it. The commits of its partition and of all others go on, and so does reading.
func TestSmallMetadataHoldsUpNoCommit(t *testing.T) {
	for _, limit := range []int{64, 512} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			t.Run("fake", func(t *testing.T) {
				r, fake := fakeRig(t, 2)
				fake.LimitOffsetMetadata("in", limit)
				smallMetadata(t, r, limit)
			})
			t.Run("Apache", func(t *testing.T) {
				broker := kafkatest.Apache(t, kafkatest.Property("offset.metadata.max.bytes", strconv.Itoa(limit)))
				smallMetadata(t, newRig(t, &broker.Cluster, 2), limit)
			})
		})
	}
}

func smallMetadata(t *testing.T, r *rig, limit int) {
	t.Helper()
	const n, each = 6000, 20 // of these, and of partition 0, one record is stuck
	letGo := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	ended := make(chan struct{}) // so that a failed test ends
	t.Cleanup(func() { close(ended) })
	p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if v, _ := strconv.Atoi(string(rec.Value)); v%each == 0 {
			select {
			case <-letGo[v/n]:
			case <-ended:
			}
		}
		return rec.Value, nil
	})
	w := r.start(p, func(c *config.Config) {
		c.Failure.Timeout = duration(5 * time.Minute)
		c.InFlight.Records = 10 * n
		c.Concurrency = n/each + 4
	})
	r.eventually("it reads", func() bool { return inState(w, "running")+inState(w, "paused") == 2 })
	for i := range letGo {
		r.produce(i*n, n, 2)
		r.eventually("the partition where nothing is stuck is committed to its end", func() bool {
			end := r.ends("in")[1]
			return r.cluster.GroupOffsets("group")["in"][1].Offset == end && w.partition(1).Committed == end
		})
		r.eventually("the other one is read as far as may be", func() bool {
			p, c := w.partition(0), r.cluster.GroupOffsets("group")["in"][0]
			if p.Error != "" || len(c.Metadata) > limit {
				t.Fatalf("error %q, %d bytes of metadata", p.Error, len(c.Metadata))
			}
			if i > 0 && limit == 512 { // known by now, and enough for a map
				state, err := offsets.Decode(c.Metadata, c.Offset)
				return err == nil && len(state.Settled) > each && p.Position < r.ends("in")[0]
			}
			return p.Position == r.ends("in")[0] && p.InFlight.Records == n/each
		})
		r.eventually("the brokers' limit is known", func() bool {
			if limit == 512 { // enough for a map
				return len(w.log.lines("offset.metadata.max.bytes is small")) > 0
			}
			// It depends on the first refused commit's length how much is known yet.
			return len(w.log.lines("offset.metadata.max.bytes is")) > 0
		})
		close(letGo[i])
		r.awaitSettled(w)
		r.eventually("everything is committed", r.committedAll)
	}
	w.drain()
	wantEach(t, r.values("out"), 0, 2*n, false)
}

// TestRefusedPartitionHoldsUpNoOther: the coordinator refuses the commits of one
// partition. The others' go on, and /status names the refused partition and the reason.
func TestRefusedPartitionHoldsUpNoOther(t *testing.T) {
	for _, refusal := range []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition} {
		t.Run(refusal.Message, func(t *testing.T) {
			r, fake := fakeRig(t, 3)
			const n = 3000
			w := r.start(identity)
			r.eventually("it owns everything", func() bool { return owned(w) == 3 && inState(w, "running") == 3 })
			fault := fake.Faults.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.OffsetCommit}, Topic: "in", Partitions: []int32{1}, Err: refusal, Count: -1,
			})
			r.produce(0, n, 3)
			r.awaitSettled(w)
			r.eventually("the others are committed", func() bool {
				ends := r.ends("in")
				return w.partition(0).Committed == ends[0] && w.partition(2).Committed == ends[2]
			})
			r.eventually("/status has the refusal", func() bool {
				return strings.Contains(w.partition(1).Error, fmt.Sprintf("[%d]", refusal.Code))
			})
			if e := w.partition(0).Error; e != "" {
				t.Errorf("partition 0 has the error %q", e)
			}
			fault.Remove()
			r.eventually("everything is committed", r.committedAll)
			r.eventually("/status has no error any more", func() bool { return w.partition(1).Error == "" })
			w.drain()
		})
	}
}

// TestMetadataWithoutRoomForTheReach: the brokers keep so little metadata that a
// commit can't say how far the owner may dispatch. While a record is stuck, so that
// the offset to commit stays the same, reading goes on beyond that all the same.
func TestMetadataWithoutRoomForTheReach(t *testing.T) {
	for _, limit := range []int{0, 10} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			r, fake := fakeRig(t, 1)
			fake.LimitOffsetMetadata("in", limit)
			const n = 20_000
			letGo := make(chan struct{})
			release := sync.OnceFunc(func() { close(letGo) })
			t.Cleanup(release) // so that a failed test ends
			w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				if string(rec.Value) == "0" {
					<-letGo
				}
				return rec.Value, nil
			}), func(c *config.Config) { c.Failure.Timeout = duration(5 * time.Minute) })
			r.produce(0, n, n)
			r.eventually("all others are settled", func() bool {
				p := w.partition(0)
				return p.Position == n && p.InFlight.Records == 1
			})
			release()
			r.awaitSettled(w)
			r.eventually("everything is committed", r.committedAll)
			w.drain()
			wantEach(t, r.values("out"), 0, n, false)
		})
	}
}
