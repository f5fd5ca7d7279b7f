package kafka

import (
	"cmp"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// produceResponse is a broker's answer.
type produceResponse struct {
	throttleMs int32
	results    []produceResult // ordered by topic and partition
}

// produceResult is what was answered about one batch.
type produceResult struct {
	topic      string
	partition  int32
	errorCode  int16
	baseOffset int64
	refused    []refusedRecord
	message    string // of the error, for people; often empty
}

// refusedRecord is a record because of which the whole batch was not stored.
type refusedRecord struct {
	index   int32 // in the batch
	message string
}

// ApiKey implements protocol.Message.
func (r *produceResponse) ApiKey() protocol.ApiKey { return protocol.Produce }

// result returns what was answered about a batch; nil if that is nothing.
func (r *produceResponse) result(topic string, partition int32) *produceResult {
	i, found := slices.BinarySearchFunc(r.results, produceResult{topic: topic, partition: partition}, compareResults)
	if !found {
		return nil
	}
	return &r.results[i]
}

func compareResults(a, b produceResult) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}

// maxProduceResponse bounds an answer. It has a few bytes for each partition,
// and a line for each record that is refused.
const maxProduceResponse = 64 << 20

func readProduceResponse(from io.Reader, version int16) (*produceResponse, error) {
	r := wire.NewStream(from)
	defer r.Free()
	if err := r.Start(maxProduceResponse, produceCorrelationID); err != nil {
		return nil, err
	}
	res := &produceResponse{}
	for range r.Count(6) {
		topic := r.String()
		for range r.Count(22) {
			if r.Err() != nil {
				break
			}
			res.results = append(res.results, readProduceResult(r, topic, version))
		}
	}
	res.throttleMs = r.Int32()
	slices.SortFunc(res.results, compareResults)
	return res, r.End()
}

func readProduceResult(r *wire.Stream, topic string, version int16) produceResult {
	res := produceResult{topic: topic, partition: r.Int32(), errorCode: r.Int16(), baseOffset: r.Int64()}
	r.Int64() // log append time
	if version >= 5 {
		r.Int64() // log start offset
	}
	if version < 8 {
		return res
	}
	for range r.Count(6) {
		res.refused = append(res.refused, refusedRecord{index: r.Int32(), message: r.NullableString()})
		if r.Err() != nil {
			break
		}
	}
	res.message = r.NullableString()
	return res
}
