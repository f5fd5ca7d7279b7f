package kafkawatch

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func serverTLS(t *testing.T, ca *kafkatest.CA) *tls.Config {
	t.Helper()
	pair := ca.Server("localhost")
	cert, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// TestBrokerStopsAndComesBack checks that an outage keeps the last known facts.
func TestBrokerStopsAndComesBack(t *testing.T) {
	dir := kfake.DataDir(t.TempDir())
	cluster := kafkatest.Fake(t, dir, kfake.SeedTopics(1, "orders"))
	_, port, err := net.SplitHostPort(cluster.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	cluster.Produce(&kgo.Record{Topic: "orders", Value: value})
	cluster.CommitOffsets("orders", "orders", map[int32]int64{0: 1})
	h := start(t)
	key := named("a")
	h.set(key, targetOf(cluster.Addrs(), "orders"))
	known := Partition{0, 1, 1}
	h.partitions(key, known)

	cluster.Faults.Close()
	f := h.facts(key, "the outage", func(f Facts) bool { return errors.Is(f.Err, kafka.ErrUnreachable) })
	if f.At.IsZero() || f.Since.Before(f.At) || kafka.Refused(f.Err) || !slices.Equal(f.Partitions, []Partition{known}) {
		t.Errorf("in the outage: got %+v", f)
	}
	h.eventually("more than one attempt", func() bool { return len(h.History(key)) > 0 && h.wakesOf(key) >= 2 })
	again := kafkatest.Fake(t, dir, kfake.Ports(number))
	h.partitions(key, known)
	again.Produce(&kgo.Record{Topic: "orders", Value: value})
	h.partitions(key, Partition{0, 2, 1})
	if f := h.Facts(key); !f.Since.IsZero() {
		t.Errorf("got Since %v after the broker has come back, want zero", f.Since)
	}
}

// TestHangingCluster checks that a cluster that accepts connections and never answers delays
// only its own StreamProcessors.
func TestHangingCluster(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	accepted := make(chan struct{}, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			go func() { _, _ = io.Copy(io.Discard, conn); _ = conn.Close() }()
		}
	}()
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	h := start(t)
	h.set(named("hangs"), targetOf([]string{listener.Addr().String()}, "orders"))
	<-accepted
	h.set(named("good"), targetOf(cluster.Addrs(), "orders"))
	h.good(named("good"))
	rounds(t, cluster, 5)
	if d := h.DeleteGroup(named("gone"), targetOf(cluster.Addrs(), "orders")); d.Done || d.Err != nil {
		t.Errorf("DeleteGroup waited for the hanging cluster: %+v", d)
	}
	h.eventually("a deletion", func() bool { return h.wakesOf(named("gone")) == 1 })
	h.Forget(named("hangs")) // and the test's end does not wait for it
}

// TestHangingBroker checks that a broker that hangs does not affect topics that others
// lead.
func TestHangingBroker(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "orders", "bills"))
	for topic, leader := range map[string]int32{"orders": 0, "bills": 1} {
		if err := cluster.Faults.MoveTopicPartition(topic, 0, leader); err != nil {
			t.Fatal(err)
		}
	}
	h := startWith(t, func(w *Watcher) { w.timeout = 300 * time.Millisecond })
	h.set(named("orders"), targetOf(cluster.Addrs(), "orders"))
	h.set(named("bills"), targetOf(cluster.Addrs(), "bills"))
	h.good(named("orders"))
	h.good(named("bills"))
	release := make(chan struct{})
	cluster.Faults.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.KeepControl()
		if cluster.Faults.CurrentNode() == 1 {
			cluster.Faults.SleepControl(func() { <-release })
		}
		return nil, nil, false
	})
	f := h.facts(named("bills"), "the silence", func(f Facts) bool { return f.Err != nil })
	if kafka.Refused(f.Err) || len(f.Partitions) != 1 {
		t.Errorf("a broker that hangs: got %+v", f)
	}
	cluster.Produce(&kgo.Record{Topic: "orders", Value: value})
	h.partitions(named("orders"), Partition{0, 1, -1})
	close(release)
	h.good(named("bills"))
}

// TestPassingFaults checks that moves of leaders and coordinators, and other short faults,
// do not show in the facts.
func TestPassingFaults(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "orders"))
	h := start(t)
	key := named("a")
	h.set(key, targetOf(cluster.Addrs(), "orders"))
	h.good(key)
	for _, passing := range []kfake.Fault{
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition},
		{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{2}, Err: kerr.OffsetNotAvailable},
		{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: "orders", Err: kerr.NotCoordinator},
		{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "orders", Err: kerr.LeaderNotAvailable},
	} {
		cluster.Faults.ShufflePartitionLeaders()
		cluster.Faults.RehashCoordinators()
		fault := cluster.Faults.Fault(passing)
		rounds(t, cluster, 4)
		if fault.Hits() == 0 {
			t.Errorf("the Watcher did not meet the fault %v", passing.Err)
		}
	}
	if got := h.wakesOf(key); got != 1 {
		t.Errorf("woke %d times for passing faults: %+v", got-1, h.Facts(key))
	}
}

// TestPartitionWithoutALeader checks that one partition without a leader does not hide the
// others or their number, and does not cause retries again and again.
func TestPartitionWithoutALeader(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(3, "orders"))
	for i := range int32(3) {
		cluster.Produce(&kgo.Record{Topic: "orders", Partition: i, Value: value}, &kgo.Record{Topic: "orders", Partition: i, Value: value})
	}
	cluster.CommitOffsets("orders", "orders", map[int32]int64{0: 1, 1: 1, 2: 1})
	h := start(t)
	key := named("a")
	h.set(key, targetOf(cluster.Addrs(), "orders"))
	h.partitions(key, Partition{0, 2, 1}, Partition{0, 2, 1}, Partition{0, 2, 1})
	away := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "orders", Partitions: []int32{1}, Err: kerr.LeaderNotAvailable, Count: -1,
	})
	cluster.Produce(&kgo.Record{Topic: "orders", Partition: 2, Value: value})
	cluster.CommitOffsets("orders", "orders", map[int32]int64{1: 2})
	f := h.facts(key, "the rest", func(f Facts) bool { return len(f.Unknown) > 0 && f.Partitions[2].End == 3 })
	if f.Err != nil || !slices.Equal(f.Unknown, []int32{1}) || f.Partitions[1] != (Partition{0, 2, 2}) {
		t.Errorf("got %+v; want no error, and for partition 1 the last known and the committed offsets", f)
	}
	if samples := h.History(key); len(samples[len(samples)-1].Partitions) != 3 {
		t.Errorf("the last sample: %+v", samples[len(samples)-1])
	}
	// A new target has only the committed offset of that partition.
	h.set(named("fresh"), targetOf(cluster.Addrs(), "orders"))
	f = h.facts(named("fresh"), "the rest", func(f Facts) bool { return len(f.Partitions) > 0 })
	if f.Err != nil || !slices.Equal(f.Unknown, []int32{1}) || f.Partitions[1] != (Partition{2, 2, 2}) {
		t.Errorf("at the start: got %+v", f)
	}
	wakes := h.wakesOf(key)
	rounds(t, cluster, 5)
	if got := h.wakesOf(key) - wakes; got > 0 {
		t.Errorf("woke %d times although nothing has changed", got)
	}
	away.Remove()
	h.facts(key, "the leader", func(f Facts) bool { return f.Unknown == nil && f.Partitions[1] == Partition{0, 2, 2} })
}
