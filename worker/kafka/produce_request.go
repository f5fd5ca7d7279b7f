package kafka

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// The versions of the Produce API that are spoken: 3 brought record batches
// (Kafka 0.11), 8 says which records of a batch are refused, and is the last
// before the encoding changes; brokers up to 4.x take all of them.
const (
	minProduceVersion = 3
	maxProduceVersion = 8
)

// replicationTimeout is how long a broker may wait for the replicas to have
// what was written, before it answers REQUEST_TIMED_OUT.
const replicationTimeout = 30 * time.Second

// produceTimeout bounds a whole request: the transfer comes on top.
const produceTimeout = replicationTimeout + 10*time.Second

// requestBuffer is the size of the buffer in front of a connection: small
// batches go out together, large ones past it.
const requestBuffer = 64 << 10

// allReplicas is the value of acks that asks for all in-sync replicas.
const allReplicas = -1

// produceRequest writes batches to one broker. It writes and reads the protocol
// itself, so that batches go to the socket without a copy. It is sent once.
type produceRequest struct {
	broker   int32
	clientID string
	batches  []producedBatch // those of one topic next to each other
	out      *bufio.Writer

	version int16

	mu      sync.Mutex
	conn    deadliner     // set while the exchange is under way; guarded by mu
	aborted bool          // guarded by mu
	ended   chan struct{} // closed when the exchange that began is over; guarded by mu
}

// producedBatch is a log batch on its way to its partition.
type producedBatch struct {
	topic     string
	partition int32
	bytes     []byte
}

type deadliner interface{ SetDeadline(time.Time) error }

var (
	errProduceAborted = errors.New("the request was given up")
	errProduceTooOld  = errors.New("the broker is older than Kafka 0.11, which is not supported")
)

// produce sends the request and returns the answer. When it returns, however
// that comes about, nothing reads the batches any more: their memory may be
// used for others.
func (c *Client) produce(ctx context.Context, r *produceRequest) (*produceResponse, error) {
	timeout, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	res, err := c.roundTrip(timeout, r)
	if err != nil {
		// The transport does not wait for the exchange once ctx is done.
		r.abort()
		return nil, err
	}
	return res.(*produceResponse), nil
}

// abort ends the exchange and waits until it is over, or keeps it from
// beginning.
func (r *produceRequest) abort() {
	r.mu.Lock()
	r.aborted = true
	if r.conn != nil {
		// An error means that the connection is closed already.
		_ = r.conn.SetDeadline(time.Unix(1, 0))
	}
	ended := r.ended
	r.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// begin and end bracket the exchange. Between them abort acts on the connection;
// after end it must not, since another request may be using it.
func (r *produceRequest) begin(rw io.ReadWriter) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.aborted {
		return errProduceAborted
	}
	r.conn, _ = rw.(deadliner)
	r.ended = make(chan struct{})
	return nil
}

func (r *produceRequest) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = nil
	close(r.ended)
	if r.aborted {
		// Its deadline has passed: the transport drops a connection that had
		// an error, and would keep it otherwise.
		return errProduceAborted
	}
	return nil
}

// ApiKey implements protocol.Message.
func (r *produceRequest) ApiKey() protocol.ApiKey { return protocol.Produce }

// Broker implements protocol.BrokerMessage.
func (r *produceRequest) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: r.broker}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version that
// was negotiated.
func (r *produceRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = min(versions[protocol.Produce], maxProduceVersion)
	return true
}

// RawExchange implements protocol.RawExchanger.
func (r *produceRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < minProduceVersion {
		return nil, fmt.Errorf("%w: it speaks version %d of the Produce API, %d is needed", errProduceTooOld, r.version, minProduceVersion)
	}
	if err := r.begin(rw); err != nil {
		return nil, err
	}
	res, err := r.exchange(rw)
	if aborted := r.end(); aborted != nil {
		return nil, aborted
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

func (r *produceRequest) exchange(rw io.ReadWriter) (*produceResponse, error) {
	if err := r.write(rw); err != nil {
		return nil, fmt.Errorf("send the produce request: %w", err)
	}
	res, err := readProduceResponse(rw, r.version)
	if err != nil {
		return nil, fmt.Errorf("read the produce response: %w", err)
	}
	return res, nil
}

// produceCorrelationID is in each request: a connection carries one at a time.
const produceCorrelationID = 1

// write writes the request in its version, with its size in front.
func (r *produceRequest) write(to io.Writer) error {
	r.out.Reset(to)
	head := r.encodeHead(nil)
	binary.BigEndian.PutUint32(head, uint32(r.size(len(head))-4))
	_, _ = r.out.Write(head) // Flush returns the error
	var frame []byte
	for i, b := range r.batches {
		frame = frame[:0]
		if i == 0 || b.topic != r.batches[i-1].topic {
			frame = appendString(frame, b.topic)
			frame = appendInt32(frame, r.partitionsFrom(i))
		}
		frame = appendInt32(frame, b.partition)
		frame = appendInt32(frame, int32(len(b.bytes)))
		_, _ = r.out.Write(frame)
		_, _ = r.out.Write(b.bytes)
	}
	err := r.out.Flush()
	r.out.Reset(nil)
	return err
}

// encodeHead appends everything in front of the first topic.
func (r *produceRequest) encodeHead(b []byte) []byte {
	b = appendInt32(b, 0) // size, filled in later
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.Produce))
	b = binary.BigEndian.AppendUint16(b, uint16(r.version))
	b = appendInt32(b, produceCorrelationID)
	b = appendString(b, r.clientID)
	b = binary.BigEndian.AppendUint16(b, 1<<16-1) // transactional id: null
	acks := int16(allReplicas)
	b = binary.BigEndian.AppendUint16(b, uint16(acks))
	b = appendInt32(b, int32(replicationTimeout.Milliseconds()))
	return appendInt32(b, r.topics())
}

// size returns the bytes of the whole request, whose head has head bytes.
func (r *produceRequest) size(head int) int {
	n := head
	for i, b := range r.batches {
		if i == 0 || b.topic != r.batches[i-1].topic {
			n += 2 + len(b.topic) + 4
		}
		n += 8 + len(b.bytes)
	}
	return n
}

func (r *produceRequest) topics() (n int32) {
	for i, b := range r.batches {
		if i == 0 || b.topic != r.batches[i-1].topic {
			n++
		}
	}
	return n
}

// partitionsFrom returns how many batches from i on are of the same topic.
func (r *produceRequest) partitionsFrom(i int) (n int32) {
	for _, b := range r.batches[i:] {
		if b.topic != r.batches[i].topic {
			break
		}
		n++
	}
	return n
}
