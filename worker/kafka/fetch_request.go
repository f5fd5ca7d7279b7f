package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// The versions of the Fetch API that are spoken: 4 brought record batches (Kafka
// 0.11) and 11 is the last before the encoding changes; brokers up to 4.x take it.
const (
	minFetchVersion = 4
	maxFetchVersion = 11
)

// fetchRequest asks one broker for records of one topic. It writes and reads the
// protocol itself, so that records go from the socket to pooled memory without
// a copy. It is sent once.
type fetchRequest struct {
	broker        int32
	clientID      string
	topic         string
	maxWait       time.Duration
	minBytes      int32
	maxBytes      int32
	readCommitted bool
	partitions    []fetchPartition
	pool          *batch.Pool

	version int16

	mu      sync.Mutex
	conn    readDeadliner // set while the exchange is under way; guarded by mu
	aborted bool          // guarded by mu
}

// fetchPartition is what is asked of a partition.
type fetchPartition struct {
	partition   int32
	leaderEpoch int32 // of the leader that is asked; -1 is unknown
	offset      int64
	maxBytes    int32
	owner       *batch.Account // of the memory of its records
}

// owner returns the account that a partition's records are charged to.
func (r *fetchRequest) owner(partition int32) *batch.Account {
	for i := range r.partitions {
		if r.partitions[i].partition == partition {
			return r.partitions[i].owner
		}
	}
	return nil
}

type readDeadliner interface{ SetReadDeadline(time.Time) error }

var (
	errFetchAborted = errors.New("the fetch was given up")
	errFetchTooOld  = errors.New("the broker is older than Kafka 0.11, which is not supported")
)

// fetch sends the request and returns the answer, whose buffers are then the
// caller's. When ctx ends, the connection is closed: a broker would hold on to a
// long poll, and its answer would have nobody to go to.
func (c *Client) fetch(ctx context.Context, r *fetchRequest) (*fetchResponse, error) {
	stop := context.AfterFunc(ctx, r.abort)
	defer stop()
	timeout, cancel := context.WithTimeout(ctx, r.maxWait+requestTimeout)
	defer cancel()
	res, err := c.roundTrip(timeout, r)
	if err != nil {
		// The exchange may still be under way, with nobody to take its answer.
		r.abort()
		return nil, err
	}
	return res.(*fetchResponse), nil
}

// abort ends the exchange, now or before it starts.
func (r *fetchRequest) abort() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.aborted = true
	if r.conn != nil {
		// An error means that the connection is closed already.
		_ = r.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// begin and end bracket the exchange. Between them abort acts on the connection;
// after end it must not, since another request may be using it.
func (r *fetchRequest) begin(rw io.ReadWriter) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.aborted {
		return errFetchAborted
	}
	r.conn, _ = rw.(readDeadliner)
	return nil
}

func (r *fetchRequest) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conn = nil
	if r.aborted {
		// Its read deadline has passed: the transport drops a connection that
		// had an error, and would keep it otherwise.
		return errFetchAborted
	}
	return nil
}

// ApiKey implements protocol.Message.
func (r *fetchRequest) ApiKey() protocol.ApiKey { return protocol.Fetch }

// Broker implements protocol.BrokerMessage.
func (r *fetchRequest) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: r.broker}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version that
// was negotiated.
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = min(versions[protocol.Fetch], maxFetchVersion)
	return true
}

// RawExchange implements protocol.RawExchanger.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < minFetchVersion {
		return nil, fmt.Errorf("%w: it speaks version %d of the Fetch API, %d is needed", errFetchTooOld, r.version, minFetchVersion)
	}
	if err := r.begin(rw); err != nil {
		return nil, err
	}
	res, err := r.exchange(rw)
	if aborted := r.end(); aborted != nil {
		if res != nil {
			res.release()
		}
		return nil, aborted
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

func (r *fetchRequest) exchange(rw io.ReadWriter) (*fetchResponse, error) {
	if _, err := rw.Write(r.encode(nil)); err != nil {
		return nil, fmt.Errorf("send the fetch request: %w", err)
	}
	res, err := readFetchResponse(rw, r)
	if err != nil {
		return nil, fmt.Errorf("read the fetch response: %w", err)
	}
	return res, nil
}

// fetchCorrelationID is in each request: a connection carries one at a time.
const fetchCorrelationID = 1

// encode appends the request in its version, with the size in front.
func (r *fetchRequest) encode(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, 0) // size, filled in below
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.Fetch))
	b = binary.BigEndian.AppendUint16(b, uint16(r.version))
	b = binary.BigEndian.AppendUint32(b, fetchCorrelationID)
	b = appendString(b, r.clientID)
	b = appendInt32(b, -1) // replica id: a consumer
	b = appendInt32(b, int32(r.maxWait.Milliseconds()))
	b = appendInt32(b, r.minBytes)
	b = appendInt32(b, r.maxBytes)
	if r.readCommitted {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	if r.version >= 7 {
		b = appendInt32(b, 0)  // session id
		b = appendInt32(b, -1) // session epoch: no session
	}
	b = appendInt32(b, 1)
	b = appendString(b, r.topic)
	b = appendInt32(b, int32(len(r.partitions)))
	for _, p := range r.partitions {
		b = r.encodePartition(b, p)
	}
	if r.version >= 7 {
		b = appendInt32(b, 0) // forgotten topics, of sessions
	}
	if r.version >= 11 {
		b = appendString(b, "") // rack: read from the leader
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (r *fetchRequest) encodePartition(b []byte, p fetchPartition) []byte {
	b = appendInt32(b, p.partition)
	if r.version >= 9 {
		b = appendInt32(b, p.leaderEpoch)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.offset))
	if r.version >= 5 {
		b = binary.BigEndian.AppendUint64(b, 1<<64-1) // log start offset, of followers
	}
	return appendInt32(b, p.maxBytes)
}

func appendInt32(b []byte, v int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(v)) }

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
