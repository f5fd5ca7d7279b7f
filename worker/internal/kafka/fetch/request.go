package fetch

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// The versions of the Fetch API that are spoken: 4 brought record batches (Kafka
// 0.11) and 11 is the last before the encoding changes; brokers up to 4.x take it.
const (
	minVersion = 4
	maxVersion = 11
)

// request asks one broker for records of one topic. It writes and reads the
// protocol itself, so that records go from the socket to pooled memory without
// a copy. It is sent once.
type request struct {
	broker        int32
	clientID      string
	topic         string
	maxWait       time.Duration
	minBytes      int32
	maxBytes      int32
	readCommitted bool
	partitions    []requestPartition
	pool          *batch.Pool

	version int16 // of the exchange
}

// requestPartition is a partition of a request.
type requestPartition struct {
	partition   int32
	leaderEpoch int32 // of the leader that is asked; -1 is unknown
	offset      int64
	maxBytes    int32
	owner       *batch.Account // of the memory of its records
}

// owner returns the account that a partition's records are charged to.
func (r *request) owner(partition int32) *batch.Account {
	for i := range r.partitions {
		if r.partitions[i].partition == partition {
			return r.partitions[i].owner
		}
	}
	return nil
}

// exchangeTimeout bounds a whole request, however slow the transfer of its answer is.
const exchangeTimeout = 5 * time.Minute

// fetch sends the request and returns the answer, whose buffers are then the
// caller's. When ctx ends, the connection is closed: a broker would hold on to a
// long poll, and its answer would have nobody to go to.
func send(ctx context.Context, c *kafka.Client, r *request) (*response, error) {
	e := r.exchange()
	stop := context.AfterFunc(ctx, e.Abort)
	defer stop()
	timeout, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	res, err := c.Send(timeout, e)
	if err != nil {
		return nil, err
	}
	return res.(*response), nil
}

// exchange returns the exchange that sends the request.
func (r *request) exchange() *wire.Exchange {
	return &wire.Exchange{
		BrokerID: r.broker, Key: protocol.Fetch, MinVersion: minVersion, MaxVersion: maxVersion,
		// A broker holds a request for maxWait.
		Silence: r.maxWait + kafka.RequestTimeout,
		Encode: func(to io.Writer, version int16) error {
			r.version = version
			_, err := to.Write(r.encode(nil))
			return err
		},
		Decode: func(from io.Reader, _ int16) (protocol.Message, error) {
			res, err := readResponse(from, r)
			if err != nil {
				return nil, err
			}
			return res, nil
		},
		Discard: func(res protocol.Message) { res.(*response).release() },
	}
}

// correlationID is in each request: a connection carries one at a time.
const correlationID = 1

// encode appends the request in its version, with the size in front.
func (r *request) encode(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, 0) // size, filled in below
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.Fetch))
	b = binary.BigEndian.AppendUint16(b, uint16(r.version))
	b = binary.BigEndian.AppendUint32(b, correlationID)
	b = wire.AppendString(b, r.clientID)
	b = wire.AppendInt32(b, -1) // replica id: a consumer
	b = wire.AppendInt32(b, int32(r.maxWait.Milliseconds()))
	b = wire.AppendInt32(b, r.minBytes)
	b = wire.AppendInt32(b, r.maxBytes)
	if r.readCommitted {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	if r.version >= 7 {
		b = wire.AppendInt32(b, 0)  // session id
		b = wire.AppendInt32(b, -1) // session epoch: no session
	}
	b = wire.AppendInt32(b, 1)
	b = wire.AppendString(b, r.topic)
	b = wire.AppendInt32(b, int32(len(r.partitions)))
	for _, p := range r.partitions {
		b = r.encodePartition(b, p)
	}
	if r.version >= 7 {
		b = wire.AppendInt32(b, 0) // forgotten topics, of sessions
	}
	if r.version >= 11 {
		b = wire.AppendString(b, "") // rack: read from the leader
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (r *request) encodePartition(b []byte, p requestPartition) []byte {
	b = wire.AppendInt32(b, p.partition)
	if r.version >= 9 {
		b = wire.AppendInt32(b, p.leaderEpoch)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
	if r.version >= 5 {
		b = binary.BigEndian.AppendUint64(b, 1<<64-1) // log start offset, of followers
	}
	return wire.AppendInt32(b, p.maxBytes)
}
