package txn

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// requests returns one of each kind of request.
func requests() []request {
	me := producer{"id", batch.Identity{ID: 7, Epoch: 3}}
	return []request{
		&initRequest{transactionalID: "id"},
		&endRequest{producer: me},
		&addOffsetsRequest{producer: me, group: "g"},
		&addPartitionsRequest{producer: me, topics: []topicPartitions{{"orders", []int32{1}}}},
		&offsetCommitRequest{producer: me, Offsets: Offsets{Group: "g", Topic: "orders", Partitions: []Offset{{Partition: 1}}}},
	}
}

// answerTo returns an answer as an independent encoder lays it out, without its size. All
// of them are free of errors.
func answerTo(a api, version int16) []byte {
	var res kmsg.Response
	switch a.key {
	case initProducerID.key:
		res = &kmsg.InitProducerIDResponse{ProducerID: 7, ProducerEpoch: 3}
	case endTxn.key:
		res = &kmsg.EndTxnResponse{ProducerID: 7, ProducerEpoch: 4}
	case addOffsetsToTxn.key:
		res = &kmsg.AddOffsetsToTxnResponse{}
	case addPartitionsToTxn.key:
		res = &kmsg.AddPartitionsToTxnResponse{Topics: []kmsg.AddPartitionsToTxnResponseTopic{{
			Topic: "orders", Partitions: []kmsg.AddPartitionsToTxnResponseTopicPartition{{Partition: 1}},
		}}}
	default:
		res = &kmsg.TxnOffsetCommitResponse{Topics: []kmsg.TxnOffsetCommitResponseTopic{{
			Topic: "orders", Partitions: []kmsg.TxnOffsetCommitResponseTopicPartition{{Partition: 1}},
		}}}
	}
	res.SetVersion(version)
	header := []byte{0, 0, 0, 0} // correlation id
	if version >= a.flexible {
		header = append(header, 0)
	}
	return res.AppendTo(header)
}

// eachAnswer calls f with a good answer to each request in each version.
func eachAnswer(f func(r request, version int16, answer []byte)) {
	for _, r := range requests() {
		for version := r.api().oldest; version <= r.api().latest; version++ {
			f(r, version, answerTo(r.api(), version))
		}
	}
}

func read(r request, version int16, answer []byte) error {
	return new(coordinator).read(&layout{request: r, version: version}, answer)
}

func TestAnswersOfAllVersions(t *testing.T) {
	eachAnswer(func(r request, version int16, answer []byte) {
		if err := read(r, version, answer); err != nil {
			t.Errorf("%s %d: %v", r.api().key, version, err)
		}
		if read(r, version, answer[:len(answer)-2]) == nil {
			t.Errorf("%s %d: a cut answer is accepted", r.api().key, version)
		}
	})
}

func TestClaimsOfAnswersAreNotBelieved(t *testing.T) {
	eachAnswer(func(r request, version int16, answer []byte) {
		testkit.LengthClaims(t, answer, 1<<20, func(data []byte) { _ = read(r, version, data) })
	})
	testkit.LengthClaims(t, versionsAnswer(), 1<<20, func(data []byte) { _, _ = decodeVersions(data) })
}

// versionsAnswer is what a broker with version 2 of transactions answers.
func versionsAnswer() []byte {
	res := &kmsg.ApiVersionsResponse{
		Version: 3, ApiKeys: []kmsg.ApiVersionsResponseApiKey{{ApiKey: 0, MaxVersion: 12}, {ApiKey: 26, MaxVersion: 5}, {ApiKey: 28, MaxVersion: 5}},
		FinalizedFeaturesEpoch: 9,
		FinalizedFeatures: []kmsg.ApiVersionsResponseFinalizedFeature{
			{Name: "metadata.version", MaxVersionLevel: 27}, {Name: "transaction.version", MaxVersionLevel: 2},
		},
	}
	return res.AppendTo([]byte{0, 0, 0, 0})
}

func FuzzAnswers(f *testing.F) {
	eachAnswer(func(r request, version int16, answer []byte) { f.Add(uint8(r.api().key), uint8(version), answer) })
	f.Fuzz(func(_ *testing.T, key, version uint8, answer []byte) {
		for _, r := range requests() {
			if a := r.api(); uint8(a.key) == key {
				_ = read(r, min(max(int16(version), a.oldest), a.latest), answer)
			}
		}
	})
}

func FuzzVersions(f *testing.F) {
	f.Add(versionsAnswer())
	if v, err := decodeVersions(versionsAnswer()); err != nil || v.protocolVersion() != 2 {
		f.Fatalf("the seed: %+v, %v", v, err)
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if v, err := decodeVersions(answer); err == nil && len(v.latest) > len(answer) {
			t.Errorf("%d versions out of %d bytes", len(v.latest), len(answer))
		}
	})
}
