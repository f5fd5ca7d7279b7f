package kafka

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// groupVersions are the latest versions of the group's requests that are spoken.
// kafka-go lays out later ones wrongly (Heartbeat 4, SyncGroup 5), and the
// flexible encoding adds nothing here. Kafka knows these since 2.3.
var groupVersions = map[protocol.ApiKey]int16{
	protocol.JoinGroup: 5, protocol.SyncGroup: 3, protocol.Heartbeat: 3, protocol.LeaveGroup: 3,
	protocol.OffsetCommit: 7, protocol.OffsetFetch: 5, protocol.DescribeGroups: 4, protocol.DeleteGroups: 1,
}

// ownLayout is a request of a version that kafka-go has no layout of.
type ownLayout interface {
	protocol.Message
	// appendTo appends the whole request, size and header included.
	appendTo(b []byte, clientID string) []byte
	// readAnswer reads the whole answer and nothing beyond.
	readAnswer(from io.Reader) (protocol.Message, error)
}

// groupExchange carries a request to a group's coordinator. It is sent once, and
// not at all after abort.
type groupExchange struct {
	broker   int32
	clientID string // the coordinator makes member ids of it
	request  protocol.Message
	version  int16

	mu      sync.Mutex
	conn    readDeadliner // while an answer is awaited; guarded by mu
	aborted bool          // guarded by mu
}

// ApiKey implements protocol.Message.
func (e *groupExchange) ApiKey() protocol.ApiKey { return e.request.ApiKey() }

// Broker implements protocol.BrokerMessage.
func (e *groupExchange) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.broker}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version that
// was negotiated.
func (e *groupExchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.version = min(versions[e.ApiKey()], groupVersions[e.ApiKey()])
	return true
}

// RawExchange implements protocol.RawExchanger. A connection carries one request
// at a time, so the correlation id needs no counting.
func (e *groupExchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if err := e.send(rw); err != nil {
		return nil, err
	}
	res, err := e.read(rw)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conn = nil
	switch {
	case e.aborted:
		// The read deadline has passed: the transport drops a connection that
		// had an error, and would keep it otherwise.
		return nil, context.Canceled
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &answer{Message: res}, nil
}

// send writes the request under the lock, so that after abort has returned
// nothing is written any more.
func (e *groupExchange) send(rw io.ReadWriter) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.aborted {
		return context.Canceled
	}
	if err := e.write(rw); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	e.conn, _ = rw.(readDeadliner)
	return nil
}

func (e *groupExchange) write(w io.Writer) error {
	if r, ok := e.request.(ownLayout); ok {
		_, err := w.Write(r.appendTo(nil, e.clientID))
		return err
	}
	return protocol.WriteRequest(w, e.version, 0, e.clientID, e.request)
}

func (e *groupExchange) read(from io.Reader) (protocol.Message, error) {
	if r, ok := e.request.(ownLayout); ok {
		return r.readAnswer(from)
	}
	_, res, err := protocol.ReadResponse(from, e.ApiKey(), e.version)
	return res, err
}

// abort ends the exchange, now or before it starts, so that nothing waits for an
// answer that may take as long as a rebalance.
func (e *groupExchange) abort() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.aborted = true
	if e.conn != nil {
		// An error means that the connection is closed already.
		_ = e.conn.SetReadDeadline(time.Unix(1, 0))
	}
}
