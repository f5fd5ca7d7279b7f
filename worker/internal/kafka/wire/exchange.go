package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// ErrAborted is the error of an Exchange after Abort.
var ErrAborted = fmt.Errorf("the request was given up: %w", context.Canceled)

// ErrTooOld is the error of an Exchange with a broker that does not know MinVersion.
var ErrTooOld = errors.New("the broker is older than Kafka 0.11, which is not supported")

// ErrorOf returns the error that a code of the protocol stands for: a
// kafkago.Error, or nil for 0.
func ErrorOf(code int16) error {
	if code == 0 {
		return nil
	}
	return kafkago.Error(code)
}

// Exchange is one request to one broker, and its answer. It is sent once, by kafka-go's
// transport, and not at all after Abort.
type Exchange struct {
	// BrokerID is -1 for any broker.
	BrokerID int32
	// Key is the request's.
	Key protocol.ApiKey
	// MinVersion and MaxVersion bound the version of the request. The latest one that
	// the broker knows as well is used.
	MinVersion, MaxVersion int16
	// Encode writes the whole request in a version.
	Encode func(to io.Writer, version int16) error
	// Decode reads the whole answer, and nothing beyond.
	Decode func(from io.Reader, version int16) (protocol.Message, error)
	// Silence, if set, bounds how long the broker may take no byte and send none. The
	// exchange fails then: a connection may be dead without a sign on this end.
	Silence time.Duration
	// Discard, if set, gets an answer that was read although the request was aborted.
	Discard func(protocol.Message)

	version int16

	mu      sync.Mutex
	conn    deadliner     // set while the exchange is under way; guarded by mu
	aborted bool          // guarded by mu
	ended   chan struct{} // closed when the exchange that began is over; guarded by mu
}

type deadliner interface{ SetDeadline(time.Time) error }

// answer hides the type of an answer from the transport, which acts on some.
type answer struct{ protocol.Message }

// Unwrap returns the answer of an Exchange or a Probe that the transport has returned.
func Unwrap(res protocol.Message) protocol.Message { return res.(*answer).Message }

// NewExchange returns an exchange for a request that kafka-go lays out, in a version up to
// maxVersion.
func NewExchange(broker int32, clientID string, req protocol.Message, maxVersion int16) *Exchange {
	return &Exchange{
		BrokerID: broker, Key: req.ApiKey(), MaxVersion: maxVersion,
		Encode: func(to io.Writer, version int16) error {
			return protocol.WriteRequest(to, version, 0, clientID, req)
		},
		Decode: func(from io.Reader, version int16) (protocol.Message, error) {
			id, res, err := protocol.ReadResponse(from, req.ApiKey(), version)
			if err == nil && id != 0 {
				err = fmt.Errorf("it answers request %d, not 0", id)
			}
			return res, err
		},
	}
}

// Layout is a request of a version that kafka-go has no layout of.
type Layout interface {
	protocol.Message
	// AppendTo appends the whole request, size and header included.
	AppendTo(b []byte, clientID string) []byte
	// ReadAnswer reads the whole answer and nothing beyond.
	ReadAnswer(from io.Reader) (protocol.Message, error)
}

// NewLayoutExchange returns an exchange for a request that kafka-go has no layout of. The
// caller makes sure that the broker knows its version.
func NewLayoutExchange(broker int32, clientID string, req Layout) *Exchange {
	return &Exchange{
		BrokerID: broker, Key: req.ApiKey(),
		Encode: func(to io.Writer, _ int16) error {
			_, err := to.Write(req.AppendTo(nil, clientID))
			return err
		},
		Decode: func(from io.Reader, _ int16) (protocol.Message, error) { return req.ReadAnswer(from) },
	}
}

// ApiKey implements protocol.Message.
func (e *Exchange) ApiKey() protocol.ApiKey { return e.Key }

// Broker implements protocol.BrokerMessage.
func (e *Exchange) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.BrokerID}, nil
}

// Required implements protocol.RawExchanger, and keeps the version that was negotiated.
func (e *Exchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.version = min(versions[e.Key], e.MaxVersion)
	return true
}

// RawExchange implements protocol.RawExchanger.
func (e *Exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if e.version < e.MinVersion {
		return nil, fmt.Errorf("%w: it knows version %d of the %s request, %d is needed", ErrTooOld, e.version, e.Key, e.MinVersion)
	}
	if err := e.begin(rw); err != nil {
		return nil, err
	}
	res, err := e.exchange(rw)
	if aborted := e.end(); aborted != nil {
		if err == nil && e.Discard != nil {
			e.Discard(res)
		}
		return nil, aborted
	}
	if err != nil {
		return nil, err
	}
	return &answer{res}, nil
}

func (e *Exchange) exchange(rw io.ReadWriter) (protocol.Message, error) {
	if e.Silence > 0 {
		rw = &watchedConn{ReadWriter: rw, exchange: e}
	}
	if err := e.Encode(rw, e.version); err != nil {
		return nil, fmt.Errorf("send the request: %w", err)
	}
	res, err := e.Decode(rw, e.version)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return res, nil
}

// Abort ends the exchange and waits until it is over, or keeps it from beginning. After
// that, the exchange reads none of the request's memory.
func (e *Exchange) Abort() {
	e.mu.Lock()
	e.aborted = true
	if e.conn != nil {
		// An error means that the connection is closed already.
		_ = e.conn.SetDeadline(time.Unix(1, 0))
	}
	ended := e.ended
	e.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// extend gives the broker until t for its next byte.
func (e *Exchange) extend(t time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && !e.aborted {
		_ = e.conn.SetDeadline(t) // an error means that the connection is closed already
	}
}

// begin and end bracket the exchange. Between them Abort acts on the connection;
// after end it must not, since another request may be using it.
func (e *Exchange) begin(rw io.ReadWriter) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.aborted {
		return ErrAborted
	}
	e.conn, _ = rw.(deadliner)
	e.ended = make(chan struct{})
	return nil
}

func (e *Exchange) end() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conn = nil
	close(e.ended)
	if e.aborted {
		// Its deadline has passed: the transport drops a connection that had
		// an error, and would keep it otherwise.
		return ErrAborted
	}
	return nil
}
