package kafkawatch

import (
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// Target is what is watched for one StreamProcessor. The Watcher keeps it: what
// its slices and pointers refer to must not be written to after Set.
type Target struct {
	Cluster Cluster
	// Topic is the input topic.
	Topic   string
	GroupID string
	// Isolation under ReadCommitted takes the last stable offset for the end.
	Isolation config.IsolationLevel
	// Outputs are the other topics that have to exist. Leave out those that a
	// worker creates.
	Outputs []string
	// History is how long samples are kept; 0 for not at all. A sample in which
	// something has moved takes 24 bytes for each partition.
	History time.Duration
}

func (t *Target) equal(o *Target) bool {
	return t.sameSource(o) && t.History == o.History && slices.Equal(t.Outputs, o.Outputs) && t.Cluster.equal(&o.Cluster)
}

// sameSource reports whether offsets of one are offsets of the other. A cluster is
// known by its bootstrap servers, however it is entered.
func (t *Target) sameSource(o *Target) bool {
	return t.Topic == o.Topic && t.GroupID == o.GroupID && t.Isolation == o.Isolation &&
		slices.Equal(t.Cluster.BootstrapServers, o.Cluster.BootstrapServers)
}
