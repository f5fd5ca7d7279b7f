package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// FuzzDecodeTopicMetadata checks that no response makes the decoder panic.
func FuzzDecodeTopicMetadata(f *testing.F) {
	res := kmsg.NewPtrMetadataResponse()
	res.Version = topicIDVersion
	broker, topic, p := kmsg.NewMetadataResponseBroker(), kmsg.NewMetadataResponseTopic(), kmsg.NewMetadataResponseTopicPartition()
	broker.Host, topic.Topic, topic.TopicID = "kafka", kmsg.StringPtr("in"), [16]byte{1}
	p.Leader, p.LeaderEpoch, p.Replicas = 1, 7, []int32{1, 2}
	topic.Partitions = append(topic.Partitions, p)
	res.Brokers, res.Topics = append(res.Brokers, broker), append(res.Topics, topic)
	whole := append([]byte{0, 0, 0, 0, 0}, res.AppendTo(nil)...)
	got, err := decodeTopicMetadata(whole)
	if err != nil || got.ids["in"] != (TopicID{1}) || got.Topics[0].Partitions[0].LeaderEpoch != 7 || got.Topics[0].Partitions[0].LeaderID != 1 {
		f.Fatalf("got %+v, %v", got, err)
	}
	f.Add(whole)
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = decodeTopicMetadata(data) })
}
