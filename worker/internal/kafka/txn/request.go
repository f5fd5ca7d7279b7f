package txn

import (
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// request is one request of the transaction protocol and its answer.
type request interface {
	api() api
	encode(e *encoder, version int16)
	// decode reads the answer, behind the throttle time, and returns the error that
	// concerns the whole request.
	decode(d *decoder, version int16) error
}

// api holds the versions of a request that are spoken.
type api struct {
	key protocol.ApiKey
	// The versions that a Session sends. Those up to before are for version 1 of the
	// protocol, and the latest is for version 2.
	oldest, before, latest int16
	flexible               int16 // the first version in the flexible encoding
}

// The versions of the requests:
//   - InitProducerId 3 carries the former identity (Kafka 2.5).
//   - AddPartitionsToTxn 4 and later are for brokers among themselves.
//   - TxnOffsetCommit 3 carries the member's generation (Kafka 2.5). From version 5 on, the
//     group's coordinator makes the offsets part of the transaction by itself.
//   - EndTxn 5 gives each transaction another epoch.
//
// Versions 4 and later of all of them may be answered by TRANSACTION_ABORTABLE.
var (
	initProducerID     = api{key: protocol.InitProducerId, oldest: 3, before: 5, latest: 5, flexible: 2}
	addPartitionsToTxn = api{key: protocol.AddPartitionsToTxn, oldest: 0, before: 3, latest: 3, flexible: 3}
	addOffsetsToTxn    = api{key: protocol.AddOffsetsToTxn, oldest: 0, before: 4, latest: 4, flexible: 3}
	txnOffsetCommit    = api{key: protocol.TxnOffsetCommit, oldest: 3, before: 4, latest: 5, flexible: 3}
	endTxn             = api{key: protocol.EndTxn, oldest: 0, before: 4, latest: 5, flexible: 3}
)

// produceKIP890 is the first version of Produce that makes its partitions part of the
// transaction.
const produceKIP890 = 12

// layout is a request in one version.
type layout struct {
	request
	version int16
	sent    *bool // set once a part of the request may have been sent
}

var _ wire.Layout = (*layout)(nil)

// ApiKey implements protocol.Message.
func (l *layout) ApiKey() protocol.ApiKey { return l.api().key }

func (l *layout) flexible() bool { return l.version >= l.api().flexible }

// AppendTo implements wire.Layout.
func (l *layout) AppendTo(_ []byte, clientID string) []byte {
	*l.sent = true
	e := newEncoder(l.ApiKey(), l.version, l.flexible(), clientID)
	l.encode(e, l.version)
	e.tags()
	return wire.Finish(e.b)
}

// ReadAnswer implements wire.Layout.
func (l *layout) ReadAnswer(from io.Reader) (protocol.Message, error) {
	data, err := wire.ReadSized(from)
	if err != nil {
		return nil, err
	}
	return &rawAnswer{l.ApiKey(), data}, nil
}

// rawAnswer is an answer that is not decoded yet.
type rawAnswer struct {
	key  protocol.ApiKey
	data []byte
}

// ApiKey implements protocol.Message.
func (a *rawAnswer) ApiKey() protocol.ApiKey { return a.key }

// producer is the beginning of most requests.
type producer struct {
	transactionalID string
	identity        batch.Identity
}

func (p *producer) encodeTo(e *encoder) {
	e.string(p.transactionalID)
	p.encodeIdentity(e)
}

func (p *producer) encodeIdentity(e *encoder) {
	e.int64(p.identity.ID)
	e.int16(p.identity.Epoch)
}

func decodeIdentity(d *decoder) batch.Identity {
	return batch.Identity{ID: d.Int64(), Epoch: d.Int16()}
}
