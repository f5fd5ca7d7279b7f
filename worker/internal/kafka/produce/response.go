package produce

import (
	"cmp"
	"io"
	"slices"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// response is a broker's response.
type response struct {
	throttleMs int32
	results    []result // ordered by topic and partition
}

// result is the response about one batch.
type result struct {
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
func (r *response) ApiKey() protocol.ApiKey { return protocol.Produce }

// result returns the response about a batch; nil if there is none.
func (r *response) result(topic string, partition int32) *result {
	i, found := slices.BinarySearchFunc(r.results, result{topic: topic, partition: partition}, compareResults)
	if !found {
		return nil
	}
	return &r.results[i]
}

func compareResults(a, b result) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}

// maxResponse bounds a response. It has a few bytes for each partition,
// and a line for each record that is refused.
const maxResponse = 64 << 20

func readResponse(from io.Reader, version int16) (*response, error) {
	r := responseReader{Stream: wire.NewStream(from), version: version}
	defer r.Free()
	if err := r.Start(maxResponse, correlationID); err != nil {
		return nil, err
	}
	res := &response{}
	r.endOfFields() // of the header
	for range r.count(6) {
		if r.Err() != nil {
			break
		}
		topic := r.string()
		for range r.count(22) {
			if r.Err() != nil {
				break
			}
			res.results = append(res.results, r.result(topic))
		}
		r.endOfFields()
	}
	res.throttleMs = r.Int32()
	r.endOfFields()
	slices.SortFunc(res.results, compareResults)
	return res, r.End()
}

// responseReader reads a response in its version.
type responseReader struct {
	*wire.Stream
	version int16
}

func (r responseReader) flexible() bool { return r.version >= flexibleSince }

func (r responseReader) result(topic string) result {
	res := result{topic: topic, partition: r.Int32(), errorCode: r.Int16(), baseOffset: r.Int64()}
	r.Int64() // log append time
	if r.version >= 5 {
		r.Int64() // log start offset
	}
	if r.version < 8 {
		return res
	}
	for range r.count(6) {
		res.refused = append(res.refused, refusedRecord{index: r.Int32(), message: r.nullableString()})
		r.endOfFields()
		if r.Err() != nil {
			break
		}
	}
	res.message = r.nullableString()
	r.endOfFields()
	return res
}

// count reads the length of an array whose elements have at least smallest bytes.
func (r responseReader) count(smallest int) int {
	if r.flexible() {
		return r.CompactCount()
	}
	return r.Count(smallest)
}

func (r responseReader) string() string {
	if r.flexible() {
		return r.Compact()
	}
	return r.String()
}

func (r responseReader) nullableString() string {
	if r.flexible() {
		return r.Compact()
	}
	return r.NullableString()
}

// endOfFields skips the tagged fields at the end of a structure, in versions that have
// them. One of them may name the partition's new leader, which the metadata does too.
func (r responseReader) endOfFields() {
	if r.flexible() {
		r.Tags()
	}
}
