package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func (s *Server) initProducerID(r *kmsg.InitProducerIDRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.InitProducerIDResponse)
	var id Identity
	if r.TransactionalID == nil {
		id = s.cluster.NewProducer()
	} else {
		former := NoIdentity
		if r.Version >= 3 && r.ProducerID >= 0 {
			former = Identity{r.ProducerID, r.ProducerEpoch}
		}
		id, res.ErrorCode = s.cluster.InitProducer(*r.TransactionalID, former, time.Duration(r.TransactionTimeoutMillis)*time.Millisecond, time.Now())
		s.completeSoon(*r.TransactionalID)
	}
	res.ProducerID, res.ProducerEpoch = id.Producer, id.Epoch
	return res
}

func (s *Server) addPartitions(r *kmsg.AddPartitionsToTxnRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
	var partitions []Partition
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			partitions = append(partitions, Partition{t.Topic, p})
		}
	}
	code := s.cluster.AddPartitions(r.TransactionalID, Identity{r.ProducerID, r.ProducerEpoch}, partitions, time.Now())
	for _, t := range r.Topics {
		rt := kmsg.NewAddPartitionsToTxnResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rt.Partitions = append(rt.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: code})
		}
		res.Topics = append(res.Topics, rt)
	}
	s.watch(r.TransactionalID)
	return res
}

func (s *Server) endTxn(r *kmsg.EndTxnRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.EndTxnResponse)
	version := 1
	if r.Version >= 5 {
		version = 2
	}
	id, code := s.cluster.EndTransaction(r.TransactionalID, version, Identity{r.ProducerID, r.ProducerEpoch}, r.Commit, time.Now())
	res.ErrorCode, res.ProducerID, res.ProducerEpoch = code, id.Producer, id.Epoch
	s.completeSoon(r.TransactionalID)
	return res
}

// completeSoon completes a transaction that is prepared, after the delay of its markers.
func (s *Server) completeSoon(id string) {
	t := s.cluster.Transaction(id)
	if t == nil || !t.IsPrepared() {
		return
	}
	prepared := t.Identity
	complete := func() {
		if t.Identity == prepared && s.cluster.Complete(id) {
			s.change()
		}
	}
	if s.MarkerDelay == nil {
		complete()
		return
	}
	time.AfterFunc(s.MarkerDelay(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		complete()
	})
}

// watch ends a transaction that stays open for longer than its timeout.
func (s *Server) watch(id string) {
	t := s.cluster.Transaction(id)
	if t == nil || t.State != Ongoing {
		return
	}
	began, identity := t.Since, t.Identity
	time.AfterFunc(time.Until(began.Add(t.Timeout)), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.State == Ongoing && t.Identity == identity && t.Since.Equal(began) && s.cluster.Expire(id) {
			s.completeSoon(id)
			s.change()
		}
	})
}

func (s *Server) txnOffsetCommit(r *kmsg.TxnOffsetCommitRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
	version := 1
	if r.Version >= 5 {
		version = 2
	}
	var offsets []PartitionOffset
	for _, t := range r.Topics {
		for _, p := range t.Partitions {
			if o := (Offset{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: text(p.Metadata)}); len(o.Metadata) <= MaxMetadata {
				offsets = append(offsets, PartitionOffset{Partition{t.Topic, p.Partition}, o})
			}
		}
	}
	code := s.cluster.CommitInTransaction(
		r.TransactionalID, version, Identity{r.ProducerID, r.ProducerEpoch}, r.Group, Member{r.MemberID, r.Generation}, offsets, time.Now())
	for _, t := range r.Topics {
		rt := kmsg.NewTxnOffsetCommitResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.TxnOffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: code}
			if len(text(p.Metadata)) > MaxMetadata && code == 0 {
				rp.ErrorCode = OffsetMetadataTooLarge
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	s.watch(r.TransactionalID)
	return res
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
