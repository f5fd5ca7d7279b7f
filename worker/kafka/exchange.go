package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// anyBroker is the id that routes a request to whichever broker answers.
const anyBroker = -1

// requestTimeout bounds a request that a broker should answer at once.
const requestTimeout = 30 * time.Second

// ask sends one request to one broker, or to any with anyBroker, and returns
// its answer, with nothing of kafka-go's transport in between: no cache that
// answers instead, no splitting, no routing of its own.
//
// An id that the transport's layout does not have yet is answered by
// BrokerNotAvailable; the layout is then brought up to date, so that a retry
// finds it.
func (c *Client) ask(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	res, err := c.roundTrip(ctx, &exchange{broker: broker, request: req})
	if errors.Is(err, ErrUnreachable) {
		return nil, err // whatever was asked
	}
	if err != nil {
		return nil, fmt.Errorf("%s request: %w", req.ApiKey(), err)
	}
	return res.(*answer).Message, nil
}

// exchange carries a request of kafka-go's to a broker that was chosen here.
// It is sent once.
type exchange struct {
	broker  int32
	version int16
	request protocol.Message
}

func (e *exchange) ApiKey() protocol.ApiKey { return e.request.ApiKey() }

// Broker implements protocol.BrokerMessage.
func (e *exchange) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: e.broker}, nil
}

// Required implements protocol.RawExchanger, and takes note of the version that
// was negotiated.
func (e *exchange) Required(versions map[protocol.ApiKey]int16) bool {
	e.version = versions[e.ApiKey()]
	return true
}

// RawExchange implements protocol.RawExchanger. A connection carries one request
// at a time, so the correlation id needs no counting.
func (e *exchange) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	res, err := protocol.RoundTrip(rw, e.version, 0, "", e.request)
	if err != nil {
		return nil, err
	}
	return &answer{Message: res}, nil
}

// answer hides the type of an answer from the transport, which acts on some.
type answer struct{ protocol.Message }
