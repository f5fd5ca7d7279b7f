package cluster

import (
	"os/exec"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/hack/chaos/process"
)

// TestAwaitLeadersAsksAllBrokers: a change is complete when the last broker has heard of it,
// but for brokers that don't run.
func TestAwaitLeadersAsksAllBrokers(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(size), kfake.SeedTopics(2, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	c := stub(t, fake)
	late, asked := int32(1), 0
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if fake.CurrentNode() != late {
			return nil, nil, false
		}
		if asked++; asked > 3 {
			return nil, nil, false
		}
		res := kmsg.NewPtrMetadataResponse()
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = kmsg.StringPtr("in")
		topic.Partitions = []kmsg.MetadataResponseTopicPartition{kmsg.NewMetadataResponseTopicPartition()}
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	if err := c.awaitLeaders(t.Context(), "in", 2); err != nil {
		t.Fatal(err)
	}
	if asked <= 3 {
		t.Errorf("the broker that hears of it last was asked %d times, want until it knows", asked)
	}
}

// stub returns a Cluster whose brokers' processes only wait. A fake cluster answers for them.
func stub(t *testing.T, fake *kfake.Cluster) *Cluster {
	client, err := newClient(fake.ListenAddrs()...)
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{client: client, admin: kadm.NewClient(client)}
	t.Cleanup(c.Close)
	for i := range size {
		p, err := process.Start(exec.Command("sleep", "600"))
		if err != nil {
			t.Fatal(err)
		}
		c.brokers = append(c.brokers, &broker{id: i, process: p})
	}
	return c
}
