package txn

import (
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// brokerVersions is what a broker knows of the protocol.
type brokerVersions struct {
	latest map[protocol.ApiKey]int16
	oldest map[protocol.ApiKey]int16
	// transactions is the cluster's finalized feature transaction.version, 0 if the broker
	// names none.
	transactions int16
}

// protocolVersion returns the version of the transaction protocol to use.
func (v *brokerVersions) protocolVersion() int {
	if v.transactions >= 2 && v.latest[protocol.Produce] >= produceKIP890 &&
		v.latest[protocol.TxnOffsetCommit] >= txnOffsetCommit.latest && v.latest[protocol.EndTxn] >= endTxn.latest {
		return 2
	}
	return 1
}

// choose returns the version of a request to send; ok is false if there is none.
func (v *brokerVersions) choose(a api, protocolVersion int) (version int16, ok bool) {
	limit := a.before
	if protocolVersion >= 2 {
		limit = a.latest
	}
	latest, known := v.latest[a.key]
	version = min(latest, limit)
	return version, known && version >= a.oldest && version >= v.oldest[a.key]
}

// versionsRequest is ApiVersions in the version that names features. Every broker that
// knows transactions as the Session needs them knows it (Kafka 2.4).
type versionsRequest struct{}

var _ wire.Layout = versionsRequest{}

const versionsVersion = 3

// ApiKey implements protocol.Message.
func (versionsRequest) ApiKey() protocol.ApiKey { return protocol.ApiVersions }

// AppendTo implements wire.Layout.
func (versionsRequest) AppendTo(_ []byte, clientID string) []byte {
	e := newEncoder(protocol.ApiVersions, versionsVersion, true, clientID)
	e.string("millrace")
	e.string("1")
	e.tags()
	return wire.Finish(e.b)
}

// ReadAnswer implements wire.Layout.
func (versionsRequest) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	return &rawAnswer{protocol.ApiVersions, data}, nil
}

// The tagged field of the answer that names the finalized features.
const finalizedFeaturesTag = 2

func decodeVersions(data []byte) (*brokerVersions, error) {
	r := wire.Reader{Data: data}
	r.Int32() // correlation id; the header has no tagged fields, so that all clients can read it
	if err := wire.ErrorOf(r.Int16()); err != nil {
		return nil, err
	}
	v := &brokerVersions{latest: make(map[protocol.ApiKey]int16), oldest: make(map[protocol.ApiKey]int16)}
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		key := protocol.ApiKey(r.Int16())
		v.oldest[key], v.latest[key] = r.Int16(), r.Int16()
		r.Tags()
	}
	r.Int32() // throttle time
	r.TaggedFields(func(tag uint64, content []byte) {
		if tag == finalizedFeaturesTag {
			v.transactions = transactionFeature(content)
		}
	})
	return v, r.Err
}

// transactionFeature returns the level of transaction.version among the finalized features.
func transactionFeature(content []byte) (level int16) {
	r := wire.Reader{Data: content}
	for n := r.CompactCount(); n > 0 && r.Err == nil; n-- {
		name, highest := string(r.Compact()), r.Int16()
		r.Int16() // the lowest level
		r.Tags()
		if name == "transaction.version" && r.Err == nil {
			level = highest
		}
	}
	return level
}
