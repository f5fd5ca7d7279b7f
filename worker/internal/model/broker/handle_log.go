package broker

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const brokerPort = 9092

func brokerHost(id int32) string { return fmt.Sprintf("broker-%d", id) }

func (s *Server) metadata(r *kmsg.MetadataRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.MetadataResponse)
	res.ControllerID = 1
	cluster := "simulated"
	res.ClusterID = &cluster
	for id := int32(1); id <= s.brokers; id++ {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = id, brokerHost(id), brokerPort
		res.Brokers = append(res.Brokers, b)
	}
	names := slices.Sorted(maps.Keys(s.topics))
	if r.Topics != nil {
		names = nil
		for _, t := range r.Topics {
			names = append(names, *t.Topic)
		}
	}
	for _, name := range names {
		res.Topics = append(res.Topics, s.topicMetadata(name))
	}
	return res
}

func (s *Server) topicMetadata(name string) kmsg.MetadataResponseTopic {
	t := kmsg.NewMetadataResponseTopic()
	t.Topic = &name
	copy(t.TopicID[:], name)
	count, ok := s.topics[name]
	if !ok {
		t.ErrorCode = UnknownTopicOrPartition
	}
	for id := range count {
		p := kmsg.NewMetadataResponseTopicPartition()
		p.Partition, p.Leader, p.LeaderEpoch = id, 1+id%s.brokers, 0
		p.Replicas, p.ISR = []int32{p.Leader}, []int32{p.Leader}
		t.Partitions = append(t.Partitions, p)
	}
	return t
}

func (s *Server) produce(r *kmsg.ProduceRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.ProduceResponse)
	id, version := "", 1
	if r.TransactionID != nil {
		id = *r.TransactionID
	}
	if r.Version >= 12 {
		version = 2
	}
	for _, t := range r.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition = p.Partition
			rp.BaseOffset, rp.ErrorCode = s.cluster.Produce(id, version, Partition{t.Topic, p.Partition}, ParseBatch(p.Records), time.Now())
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	s.watch(id)
	s.change()
	return res
}

// Where the fields of a log batch are.
const (
	leaderEpochAt = 12
	attributesAt  = 21
	lastDeltaAt   = 23
	producerAt    = 43
	epochAt       = 51
	sequenceAt    = 53

	transactionalBit = 1 << 4
	controlBit       = 1 << 5
)

// ParseBatch reads the header of a log batch as producers write it.
func ParseBatch(b []byte) Batch {
	return Batch{
		Identity:      Identity{int64(binary.BigEndian.Uint64(b[producerAt:])), int16(binary.BigEndian.Uint16(b[epochAt:]))},
		Count:         int32(binary.BigEndian.Uint32(b[lastDeltaAt:])) + 1,
		Sequence:      int32(binary.BigEndian.Uint32(b[sequenceAt:])),
		Transactional: binary.BigEndian.Uint16(b[attributesAt:])&transactionalBit != 0,
		Bytes:         string(b),
	}
}

// encoded returns the batch as consumers read it.
func (b *Batch) encoded() []byte {
	raw := []byte(b.Bytes)
	if b.Control {
		raw = endMarker(b)
	}
	binary.BigEndian.PutUint64(raw, uint64(b.Base))
	binary.BigEndian.PutUint32(raw[leaderEpochAt:], 0)
	return raw
}

// endMarker encodes a control batch.
func endMarker(b *Batch) []byte {
	key := kmsg.ControlRecordKey{Type: kmsg.ControlRecordKeyTypeAbort}
	if b.Commit {
		key.Type = kmsg.ControlRecordKeyTypeCommit
	}
	value := kmsg.EndTxnMarker{}
	rec := kmsg.Record{Key: key.AppendTo(nil), Value: value.AppendTo(nil)}
	rec.Length = int32(len(rec.AppendTo(nil)) - 1)
	return sealBatch(kmsg.RecordBatch{
		Magic: 2, Attributes: transactionalBit | controlBit, ProducerID: b.Producer, ProducerEpoch: b.Epoch,
		FirstSequence: -1, NumRecords: 1, Records: rec.AppendTo(nil),
	})
}

// sealBatch encodes a log batch, with its length and checksum.
func sealBatch(set kmsg.RecordBatch) []byte {
	raw := set.AppendTo(nil)
	set.Length = int32(len(raw) - leaderEpochAt)
	set.CRC = int32(crc32.Checksum(raw[attributesAt:], crc32.MakeTable(crc32.Castagnoli)))
	return set.AppendTo(nil)
}

func (s *Server) fetch(r *kmsg.FetchRequest, gone <-chan struct{}) kmsg.Response {
	var res *kmsg.FetchResponse
	s.await(time.Duration(r.MaxWaitMillis)*time.Millisecond, gone, func() bool {
		var bytes int
		res, bytes = s.read(r)
		return bytes >= int(max(r.MinBytes, 1))
	})
	return res
}

// read returns what there is to fetch, and how many bytes; an error counts as one.
func (s *Server) read(r *kmsg.FetchRequest) (res *kmsg.FetchResponse, bytes int) {
	res = r.ResponseKind().(*kmsg.FetchResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.Partition = p.Partition
			if l := s.cluster.Log(Partition{t.Topic, p.Partition}); l == nil {
				rp.ErrorCode = UnknownTopicOrPartition
			} else {
				l.read(&rp, p.FetchOffset, r.IsolationLevel == 1, int(p.PartitionMaxBytes))
			}
			bytes += len(rp.RecordBatches)
			if rp.ErrorCode != 0 {
				bytes++
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res, bytes
}

// read fills an answer with batches from an offset on.
func (l *Log) read(p *kmsg.FetchResponseTopicPartition, from int64, committed bool, limit int) {
	p.HighWatermark, p.LastStableOffset, p.LogStartOffset = l.End, l.Stable(), 0
	if from < 0 || from > l.End {
		p.ErrorCode = OffsetOutOfRange
		return
	}
	end := l.End
	if committed {
		end = p.LastStableOffset
	}
	first, next := from, from
	for i := range l.Batches {
		b := &l.Batches[i]
		if b.Next() <= from || b.Base >= end {
			continue
		}
		raw := b.encoded()
		if len(p.RecordBatches) > 0 && len(p.RecordBatches)+len(raw) > limit {
			break
		}
		p.RecordBatches = append(p.RecordBatches, raw...)
		next = b.Next()
	}
	if !committed {
		return
	}
	for _, a := range l.Aborted {
		if a.Last >= first && a.First < next {
			p.AbortedTransactions = append(p.AbortedTransactions,
				kmsg.FetchResponseTopicPartitionAbortedTransaction{ProducerID: a.Producer, FirstOffset: a.First})
		}
	}
}

func (s *Server) listOffsets(r *kmsg.ListOffsetsRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch, rp.Timestamp = p.Partition, 0, -1
			switch l := s.cluster.Log(Partition{t.Topic, p.Partition}); {
			case l == nil:
				rp.ErrorCode = UnknownTopicOrPartition
			case p.Timestamp == -2:
				rp.Offset = 0
			case r.IsolationLevel == 1:
				rp.Offset = l.Stable()
			default:
				rp.Offset = l.End
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res
}

func (s *Server) offsetForLeaderEpoch(r *kmsg.OffsetForLeaderEpochRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition, rp.LeaderEpoch = p.Partition, 0
			if l := s.cluster.Log(Partition{t.Topic, p.Partition}); l != nil {
				rp.EndOffset = l.End
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		res.Topics = append(res.Topics, rt)
	}
	return res
}
