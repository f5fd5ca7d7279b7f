package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// FakeCluster is a running kfake cluster: a broker in the test's process. The test
// controls its leaders, coordinators and answers (Fault, ControlKey, MoveTopicPartition,
// RemoveNode and others).
type FakeCluster struct {
	Cluster
	// Faults gives access to all of kfake's controls.
	Faults *kfake.Cluster
}

// Fake starts a kfake cluster of one broker, or as many as the options set. The cluster
// ends with the test. Where kfake is more lenient than Apache Kafka, Fake makes it answer
// like Kafka.
func Fake(tb testing.TB, opts ...kfake.Opt) *FakeCluster {
	tb.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		tb.Fatalf("start kfake: %v", err)
	}
	tb.Cleanup(cluster.Close)
	answerOutOfRange(cluster)
	f := &FakeCluster{
		Cluster: Cluster{tb: tb, addrs: cluster.ListenAddrs()},
		Faults:  cluster,
	}
	f.Cluster.compacted = f.compacted
	return f
}
