package kafkatest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// FakeCluster is a running kfake cluster: a broker in the test's process whose
// leaders, coordinators and answers the test controls (Fault, ControlKey,
// MoveTopicPartition, RemoveNode, ...).
type FakeCluster struct {
	Cluster
	// Faults gives access to all of kfake's controls.
	Faults *kfake.Cluster
}

// Fake starts a kfake cluster of one broker, or as many as the options say; it
// ends with the test. Where kfake is kinder than Apache Kafka it is made to answer
// as Kafka does.
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
