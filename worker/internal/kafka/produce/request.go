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
// before the encoding changes; brokers up to 4.x take all of them.
const (
	minVersion = 3
	maxVersion = 8
)

// replicationTimeout is how long a broker may wait for the replicas to have the records
// before it responds with REQUEST_TIMED_OUT.
const replicationTimeout = 30 * time.Second

// exchangeTimeout bounds a whole request: the transfer comes on top.
const exchangeTimeout = replicationTimeout + 10*time.Second

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

	version int16 // of the exchange
}

// requestBatch is a log batch on its way to its partition.
type requestBatch struct {
	topic     string
	partition int32
	bytes     []byte
}

// produce sends the request and returns the answer. When it returns, however
// that comes about, nothing reads the batches any more: their memory may be
// used for others.
func send(ctx context.Context, c *kafka.Client, r *request) (*response, error) {
	timeout, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	res, err := c.Send(timeout, r.exchange())
	if err != nil {
		return nil, err
	}
	return res.(*response), nil
}

// exchange returns the exchange that sends the request.
func (r *request) exchange() *wire.Exchange {
	return &wire.Exchange{
		BrokerID: r.broker, Key: protocol.Produce, MinVersion: minVersion, MaxVersion: maxVersion,
		Encode: func(to io.Writer, version int16) error {
			r.version = version
			return r.write(to)
		},
		Decode: func(from io.Reader, version int16) (protocol.Message, error) {
			res, err := readResponse(from, version)
			if err != nil {
				return nil, err
			}
			return res, nil
		},
	}
}

// correlationID is in each request: a connection carries one at a time.
const correlationID = 1

// write writes the request in its version, with its size in front.
func (r *request) write(to io.Writer) error {
	r.out.Reset(to)
	head := r.encodeHead(nil)
	binary.BigEndian.PutUint32(head, uint32(r.size(len(head))-4))
	_, _ = r.out.Write(head) // Flush returns the error
	var frame []byte
	for i, b := range r.batches {
		frame = frame[:0]
		if i == 0 || b.topic != r.batches[i-1].topic {
			frame = wire.AppendString(frame, b.topic)
			frame = wire.AppendInt32(frame, r.partitionsFrom(i))
		}
		frame = wire.AppendInt32(frame, b.partition)
		frame = wire.AppendInt32(frame, int32(len(b.bytes)))
		_, _ = r.out.Write(frame)
		_, _ = r.out.Write(b.bytes)
	}
	err := r.out.Flush()
	r.out.Reset(nil)
	return err
}

// encodeHead appends everything in front of the first topic.
func (r *request) encodeHead(b []byte) []byte {
	b = wire.AppendInt32(b, 0) // size, filled in later
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.Produce))
	b = binary.BigEndian.AppendUint16(b, uint16(r.version))
	b = wire.AppendInt32(b, correlationID)
	b = wire.AppendString(b, r.clientID)
	b = binary.BigEndian.AppendUint16(b, 1<<16-1) // transactional id: null
	acks := int16(allReplicas)
	b = binary.BigEndian.AppendUint16(b, uint16(acks))
	b = wire.AppendInt32(b, int32(replicationTimeout.Milliseconds()))
	return wire.AppendInt32(b, r.topics())
}

// size returns the bytes of the whole request, whose head has head bytes.
func (r *request) size(head int) int {
	n := head
	for i, b := range r.batches {
		if i == 0 || b.topic != r.batches[i-1].topic {
			n += 2 + len(b.topic) + 4
		}
		n += 8 + len(b.bytes)
	}
	return n
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
