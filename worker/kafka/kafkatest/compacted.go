package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// compacted makes kfake answer like Kafka when a batch for a compacted topic has records
// without a key: it refuses the batch and names the records. For the other partitions of
// the request it answers with a retriable error.
func (f *FakeCluster) compacted(name string) {
	f.Faults.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		f.Faults.KeepControl()
		req := kreq.(*kmsg.ProduceRequest)
		refused := false
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				answer := kmsg.NewProduceResponseTopicPartition()
				answer.Partition, answer.BaseOffset, answer.ErrorCode = p.Partition, -1, kerr.NotLeaderForPartition.Code
				if t.Topic == name {
					answer.ErrorRecords = withoutKey(p.Records)
				}
				if len(answer.ErrorRecords) > 0 {
					refused = true
					answer.ErrorCode = kerr.InvalidRecord.Code
				}
				topic.Partitions = append(topic.Partitions, answer)
			}
			res.Topics = append(res.Topics, topic)
		}
		return res, nil, refused
	})
}

// withoutKey returns errors that name the records of a batch whose key is null.
func withoutKey(raw []byte) (records []kmsg.ProduceResponseTopicPartitionErrorRecord) {
	var batch kmsg.RecordBatch
	if batch.ReadFrom(raw) != nil {
		return nil
	}
	left := batch.Records
	if codec := kgo.CompressionCodecType(batch.Attributes & 7); codec != 0 {
		var err error
		if left, err = kgo.DefaultDecompressor().Decompress(left, codec); err != nil {
			return nil
		}
	}
	for i := range batch.NumRecords {
		var rec kmsg.Record
		if rec.ReadFrom(left) != nil {
			break
		}
		left = left[len(rec.AppendTo(nil)):]
		if rec.Key == nil {
			named := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			named.RelativeOffset = i
			named.ErrorMessage = kmsg.StringPtr("Compacted topic cannot accept message without key")
			records = append(records, named)
		}
	}
	return records
}
