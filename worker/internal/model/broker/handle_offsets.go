package broker

import "github.com/twmb/franz-go/pkg/kmsg"

func (s *Server) offsetCommit(r *kmsg.OffsetCommitRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.OffsetCommitResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewOffsetCommitResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetCommitResponseTopicPartition()
			rp.Partition = p.Partition
			rp.ErrorCode = s.cluster.Commit(r.Group, Member{r.MemberID, r.Generation}, Partition{t.Topic, p.Partition},
				Offset{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: text(p.Metadata)})
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	s.membership(r.Group).touch(r.MemberID)
	return res
}

func (s *Server) offsetFetch(r *kmsg.OffsetFetchRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.OffsetFetchResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewOffsetFetchResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetFetchResponseTopicPartition()
			o, code := s.cluster.Committed(r.Group, Partition{t.Topic, p}, r.RequireStable)
			rp.Partition, rp.Offset, rp.LeaderEpoch, rp.ErrorCode = p, o.Offset, o.LeaderEpoch, code
			rp.Metadata = &o.Metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res
}
