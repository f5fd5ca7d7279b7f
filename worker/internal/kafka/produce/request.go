package produce

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// The versions of the Produce API that are spoken: 3 brought record batches
// (Kafka 0.11), 8 says which records of a batch are refused, and is the last
// before the encoding changes; brokers up to 4.x take all of them. With version 12, brokers
// make the partitions part of the transaction: transactions of version 2 use it alone.
const (
	minVersion           = 3
	maxVersion           = 8
	transactionalVersion = 12

	flexibleSince = 9
)

// replicationTimeout is how long a broker may wait for the replicas to have the records
// before it responds with REQUEST_TIMED_OUT. The request is sent again then.
const replicationTimeout = 10 * time.Second

// A broker that is silent for longer than silence after replicationTimeout is taken for
// dead, or the connection is. Written bytes may still wait in this machine's buffers, and
// slowTransfer bytes of them leave it in a second at least.
const (
	silence      = 5 * time.Second
	slowTransfer = 64 << 10
)

// exchangeTimeout bounds a whole request, however slow its transfer is.
const exchangeTimeout = 5 * time.Minute

// requestBuffer is the size of the buffer in front of a connection: small
// batches go out together, large ones past it.
const requestBuffer = 64 << 10

// allReplicas is the value of acks that asks for all in-sync replicas.
const allReplicas = -1

// request writes batches to one broker. It writes and reads the protocol
// itself, so that batches go to the socket without a copy. It is sent once.
type request struct {
	broker   int32
	clientID string
	batches  []requestBatch // those of one topic next to each other
	out      *bufio.Writer
	// transactionalID is empty without a transaction.
	transactionalID string
	// addsPartitions lets the broker make the partitions part of the transaction. It has to
	// know transactionalVersion.
	addsPartitions bool

	version int16 // of the exchange
	begun   bool  // some of it may have been sent
}

// notSent is the error of a request of which nothing was sent: no broker has stored its
// batches.
type notSent struct{ error }

// Unwrap returns the reason.
func (e notSent) Unwrap() error { return e.error }

// requestBatch is a log batch on its way to its partition.
type requestBatch struct {
	topic     string
	partition int32
	bytes     []byte
}

// send sends the request and returns the answer. When it returns, however
// that comes about, nothing reads the batches any more: their memory may be
// used for others. The error is a notSent if there was no connection to send the request on.
func send(ctx context.Context, c *kafka.Client, r *request) (*response, error) {
	timeout, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	res, err := c.Send(timeout, r.exchange())
	switch {
	case err == nil:
		return res.(*response), nil
	case !r.begun:
		return nil, notSent{err}
	}
	return nil, err
}

// exchange returns the exchange that sends the request.
func (r *request) exchange() *wire.Exchange {
	e := &wire.Exchange{
		BrokerID: r.broker, Key: protocol.Produce, MinVersion: minVersion, MaxVersion: maxVersion,
		Silence: r.silence(),
	}
	e.Encode = func(to io.Writer, version int16) error {
		r.version, r.begun = version, true
		if r.addsPartitions {
			r.version = transactionalVersion // kafka-go negotiates no version that it has no layout of
		}
		return r.write(to)
	}
	e.Decode = func(from io.Reader, _ int16) (protocol.Message, error) {
		res, err := readResponse(from, r.version)
		if err != nil {
			return nil, err
		}
		return res, nil
	}
	return e
}

// silence returns how long the broker may keep silent about the request.
func (r *request) silence() time.Duration {
	size := 0
	for _, b := range r.batches {
		size += len(b.bytes)
	}
	return replicationTimeout + silence + time.Duration(size)*time.Second/slowTransfer
}

// correlationID is in each request: a connection carries one at a time.
const correlationID = 1

// write writes the request in its version, with its size in front.
func (r *request) write(to io.Writer) error {
	r.out.Reset(to)
	head := r.encodeHead(nil)
	size := len(head) - 4
	var frame []byte
	for i, b := range r.batches {
		frame = r.encodeFrame(frame[:0], i)
		size += len(frame) + len(b.bytes)
	}
	frame = r.encodeTail(frame[:0])
	binary.BigEndian.PutUint32(head, uint32(size+len(frame)))
	_, _ = r.out.Write(head) // Flush returns the error
	for i, b := range r.batches {
		frame = r.encodeFrame(frame[:0], i)
		_, _ = r.out.Write(frame)
		_, _ = r.out.Write(b.bytes)
	}
	_, _ = r.out.Write(r.encodeTail(frame[:0]))
	err := r.out.Flush()
	r.out.Reset(nil)
	return err
}

func (r *request) flexible() bool { return r.version >= flexibleSince }

// encodeHead appends everything in front of the first topic.
func (r *request) encodeHead(b []byte) []byte {
	b = wire.AppendInt32(b, 0) // size, filled in later
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.Produce))
	b = binary.BigEndian.AppendUint16(b, uint16(r.version))
	b = wire.AppendInt32(b, correlationID)
	b = wire.AppendString(b, r.clientID)
	if r.flexible() {
		b = append(b, wire.NoTags)
	}
	switch {
	case r.flexible():
		b = wire.AppendCompact(b, r.transactionalID)
	case r.transactionalID != "":
		b = wire.AppendString(b, r.transactionalID)
	default:
		b = binary.BigEndian.AppendUint16(b, 1<<16-1) // null
	}
	acks := int16(allReplicas)
	b = binary.BigEndian.AppendUint16(b, uint16(acks))
	b = wire.AppendInt32(b, int32(replicationTimeout.Milliseconds()))
	return r.appendCount(b, r.topics())
}

// encodeFrame appends the fields between batch i and the one before it.
func (r *request) encodeFrame(frame []byte, i int) []byte {
	b := r.batches[i]
	first := i == 0 || b.topic != r.batches[i-1].topic
	if r.flexible() && i > 0 {
		frame = append(frame, wire.NoTags) // of the partition before
		if first {
			frame = append(frame, wire.NoTags) // of the topic before
		}
	}
	if first {
		if r.flexible() {
			frame = wire.AppendCompact(frame, b.topic)
		} else {
			frame = wire.AppendString(frame, b.topic)
		}
		frame = r.appendCount(frame, r.partitionsFrom(i))
	}
	frame = wire.AppendInt32(frame, b.partition)
	return r.appendCount(frame, int32(len(b.bytes)))
}

// encodeTail appends the fields behind the last batch.
func (r *request) encodeTail(b []byte) []byte {
	if r.flexible() {
		b = append(b, wire.NoTags, wire.NoTags, wire.NoTags) // of the partition, the topic and the request
	}
	return b
}

// appendCount appends the number of an array's elements, or of a batch's bytes.
func (r *request) appendCount(b []byte, n int32) []byte {
	if r.flexible() {
		return wire.AppendCompactCount(b, int(n))
	}
	return wire.AppendInt32(b, n)
}

func (r *request) topics() (n int32) {
	for i, b := range r.batches {
		if i == 0 || b.topic != r.batches[i-1].topic {
			n++
		}
	}
	return n
}

// partitionsFrom returns how many batches from i on are of the same topic.
func (r *request) partitionsFrom(i int) (n int32) {
	for _, b := range r.batches[i:] {
		if b.topic != r.batches[i].topic {
			break
		}
		n++
	}
	return n
}
