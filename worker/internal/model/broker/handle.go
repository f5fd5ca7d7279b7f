package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// versions are the latest versions that the server knows, those of version 2 of the
// transactions among them.
var versions = map[kmsg.Key]int16{
	kmsg.Produce: 12, kmsg.Fetch: 11, kmsg.ListOffsets: 6, kmsg.Metadata: 12, kmsg.OffsetCommit: 8, kmsg.OffsetFetch: 7,
	kmsg.FindCoordinator: 3, kmsg.JoinGroup: 7, kmsg.Heartbeat: 4, kmsg.LeaveGroup: 4, kmsg.SyncGroup: 5, kmsg.ApiVersions: 3,
	kmsg.InitProducerID: 4, kmsg.OffsetForLeaderEpoch: 4, kmsg.AddPartitionsToTxn: 3, kmsg.AddOffsetsToTxn: 3, kmsg.EndTxn: 5,
	kmsg.TxnOffsetCommit: 5,
}

// handle carries out a request. It gives up waiting when gone is closed.
func (s *Server) handle(req kmsg.Request, gone <-chan struct{}) kmsg.Response {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := req.(type) {
	case *kmsg.ApiVersionsRequest:
		return s.apiVersions(r)
	case *kmsg.MetadataRequest:
		return s.metadata(r)
	case *kmsg.ProduceRequest:
		return s.produce(r)
	case *kmsg.FetchRequest:
		return s.fetch(r, gone)
	case *kmsg.ListOffsetsRequest:
		return s.listOffsets(r)
	case *kmsg.OffsetForLeaderEpochRequest:
		return s.offsetForLeaderEpoch(r)
	case *kmsg.FindCoordinatorRequest:
		res := r.ResponseKind().(*kmsg.FindCoordinatorResponse)
		res.NodeID, res.Host, res.Port = 1, brokerHost(1), brokerPort
		return res
	case *kmsg.JoinGroupRequest:
		return s.join(r, gone)
	case *kmsg.SyncGroupRequest:
		return s.sync(r, gone)
	case *kmsg.HeartbeatRequest:
		return s.heartbeat(r)
	case *kmsg.LeaveGroupRequest:
		return s.leave(r)
	case *kmsg.OffsetCommitRequest:
		return s.offsetCommit(r)
	case *kmsg.OffsetFetchRequest:
		return s.offsetFetch(r)
	default:
		return s.handleTransactional(req)
	}
}

func (s *Server) handleTransactional(req kmsg.Request) kmsg.Response {
	defer s.change()
	switch r := req.(type) {
	case *kmsg.InitProducerIDRequest:
		return s.initProducerID(r)
	case *kmsg.AddPartitionsToTxnRequest:
		return s.addPartitions(r)
	case *kmsg.AddOffsetsToTxnRequest:
		res := r.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
		res.ErrorCode = s.cluster.AddOffsets(r.TransactionalID, Identity{r.ProducerID, r.ProducerEpoch}, time.Now())
		s.watch(r.TransactionalID)
		return res
	case *kmsg.TxnOffsetCommitRequest:
		return s.txnOffsetCommit(r)
	case *kmsg.EndTxnRequest:
		return s.endTxn(r)
	}
	panic("a request that the simulated brokers don't know")
}

func (s *Server) apiVersions(r *kmsg.ApiVersionsRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.ApiVersionsResponse)
	for key, latest := range versions {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MaxVersion = int16(key), latest
		if key == kmsg.Produce {
			k.MinVersion = 3
		}
		res.ApiKeys = append(res.ApiKeys, k)
	}
	f := kmsg.NewApiVersionsResponseFinalizedFeature()
	f.Name, f.MinVersionLevel, f.MaxVersionLevel = "transaction.version", int16(s.cluster.Version), int16(s.cluster.Version)
	res.FinalizedFeatures = append(res.FinalizedFeatures, f)
	return res
}
