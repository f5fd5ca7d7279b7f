package kafkawatch

import (
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// Target defines the topics and the group to watch for one StreamProcessor. The Watcher
// keeps it, so its slices and pointers must not be modified after Set.
type Target struct {
	Cluster Cluster
	// Topic is the input topic.
	Topic   string
	GroupID string
	// Isolation decides about the end: with ReadCommitted it is the last stable offset.
	Isolation config.IsolationLevel
	// Outputs are the other topics that have to exist, without those that a worker
	// creates.
	Outputs []string
	// History is how long the Watcher keeps samples; 0 means that it keeps none. A
	// sample in which an offset has moved takes 24 bytes for each partition.
	History time.Duration
}

func (t *Target) equal(o *Target) bool {
	return t.sameSource(o) && t.History == o.History && slices.Equal(t.Outputs, o.Outputs) && t.Cluster.equal(&o.Cluster)
}

// sameSource reports whether offsets of one target are also those of the other. Only the
// bootstrap servers identify the cluster, not the credentials.
func (t *Target) sameSource(o *Target) bool {
	return t.Topic == o.Topic && t.GroupID == o.GroupID && t.Isolation == o.Isolation &&
		slices.Equal(t.Cluster.BootstrapServers, o.Cluster.BootstrapServers)
}
