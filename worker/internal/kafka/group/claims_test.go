package group

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

func TestClaimsOfOffsetsAreNotBelieved(t *testing.T) {
	res := &kmsg.OffsetFetchResponse{Version: stableVersion, Topics: []kmsg.OffsetFetchResponseTopic{{
		Topic: "orders", Partitions: []kmsg.OffsetFetchResponseTopicPartition{{Partition: 1, Offset: 7, Metadata: kmsg.StringPtr("map")}},
	}}}
	answer := res.AppendTo([]byte{0, 0, 0, 0, 0})
	if res, err := decodeStableOffsets(answer); err != nil || res.Topics[0].Partitions[0].Metadata != "map" {
		t.Fatalf("%v, %v", res, err)
	}
	testkit.LengthClaims(t, answer, 1<<20, func(data []byte) { _, _ = decodeStableOffsets(data) })
}
