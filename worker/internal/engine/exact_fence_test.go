package engine_test

import (
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestMemberDoesNotFenceItself: the last owner of a partition has died, and the commit with
// which the next one opens it is refused once. The member goes on under that partition's
// transactional id, so it must not take the id for the dead owner's and fence itself.
func TestMemberDoesNotFenceItself(t *testing.T) {
	r, fake := fakeRig(t, 2)
	r.exact()
	left := offsets.State{Marks: offsets.Marks{Open: true, Process: math.MaxUint32}}
	for p := range int32(2) {
		r.cluster.Commit("group", "in", map[int32]kafkatest.Committed{p: {LeaderEpoch: -1, Metadata: left.Encode(0)}})
	}
	fake.Faults.ControlKey(kmsg.TxnOffsetCommit.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		commit := req.(*kmsg.TxnOffsetCommitRequest)
		res := commit.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
		for _, topic := range commit.Topics {
			refused := kmsg.NewTxnOffsetCommitResponseTopic()
			refused.Topic = topic.Topic
			for _, p := range topic.Partitions {
				partition := kmsg.NewTxnOffsetCommitResponseTopicPartition()
				partition.Partition, partition.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
				refused.Partitions = append(refused.Partitions, partition)
			}
			res.Topics = append(res.Topics, refused)
		}
		return res, nil, true
	})
	const n = 1000
	r.produce(0, n, 16)
	w := r.start(identity)
	r.awaitSettled(w)
	w.drain()
	wantEach(t, r.committed("out"), 0, n, false)
	if aborted := w.aborted(); aborted["OffsetsRefused"] != 1 || len(aborted) != 1 {
		t.Errorf("the transactions were aborted for %v, want OffsetsRefused once", aborted)
	}
}
