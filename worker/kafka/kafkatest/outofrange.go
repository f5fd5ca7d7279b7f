package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// answerOutOfRange makes kfake's OFFSET_OUT_OF_RANGE answers like those of Apache Kafka,
// which contain no offset of the log. kfake's would contain the true ones.
func answerOutOfRange(faults *kfake.Cluster) {
	faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		faults.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		if req.SessionEpoch != -1 {
			return nil, nil, false // only kfake knows the request's fetch session
		}
		res := req.ResponseKind().(*kmsg.FetchResponse)
		found := false
		for i := range req.Topics {
			topic, any, known := fetchedTopic(faults, &req.Topics[i])
			if !known {
				return nil, nil, false // kfake answers other errors itself
			}
			found = found || any
			res.Topics = append(res.Topics, topic)
		}
		return res, nil, found
	})
}

// fetchedTopic returns an answer without records for a topic's partitions, and reports
// whether an offset is out of range. known is false if kfake would answer with another
// error.
func fetchedTopic(faults *kfake.Cluster, asked *kmsg.FetchRequestTopic) (answer kmsg.FetchResponseTopic, any, known bool) {
	answer = kmsg.NewFetchResponseTopic()
	answer.Topic, answer.TopicID = asked.Topic, asked.TopicID
	name := asked.Topic
	if name == "" {
		info := faults.TopicIDInfo(asked.TopicID)
		if info == nil {
			return answer, false, false
		}
		name = info.Topic
	}
	for _, p := range asked.Partitions {
		info := faults.PartitionInfo(name, p.Partition)
		if info == nil || info.Leader != faults.CurrentNode() ||
			p.CurrentLeaderEpoch >= 0 && p.CurrentLeaderEpoch != info.Epoch {
			return answer, false, false
		}
		sp := kmsg.NewFetchResponseTopicPartition()
		sp.Partition = p.Partition
		if p.FetchOffset < info.LogStartOffset || p.FetchOffset > info.HighWatermark {
			any = true
			sp.ErrorCode = kerr.OffsetOutOfRange.Code
			sp.HighWatermark, sp.LastStableOffset, sp.LogStartOffset = -1, -1, -1
		} else {
			sp.HighWatermark, sp.LastStableOffset, sp.LogStartOffset = info.HighWatermark, info.LastStableOffset, info.LogStartOffset
		}
		answer.Partitions = append(answer.Partitions, sp)
	}
	return answer, any, true
}
