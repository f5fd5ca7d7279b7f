package kafka

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// AnyBroker is the id that routes a request to any broker that answers.
const AnyBroker = -1

// RequestTimeout bounds a request that a broker should answer at once.
const RequestTimeout = 10 * time.Second

// Ask sends one request to one broker, or with AnyBroker to any, and returns its answer.
// It bypasses the transport's cache, splitting and routing.
//
// If the transport's layout does not have the id yet, Ask brings the layout up to date
// and tries once more, before it fails with BrokerNotAvailable.
func (c *Client) Ask(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	res, err := c.RoundTrip(ctx, wire.NewExchange(broker, "", req, math.MaxInt16))
	if errors.Is(err, ErrUnreachable) {
		return nil, err // whatever was asked
	}
	if err != nil {
		return nil, fmt.Errorf("%s request: %w", req.ApiKey(), err)
	}
	return wire.Unwrap(res), nil
}

// Send sends one request to one broker and returns its answer. When it returns, the
// exchange is over: nothing reads the request's memory any more.
func (c *Client) Send(ctx context.Context, e *wire.Exchange) (protocol.Message, error) {
	res, err := c.RoundTrip(ctx, e)
	if err != nil {
		// The transport does not wait for the exchange once ctx is done.
		e.Abort()
		return nil, err
	}
	return wire.Unwrap(res), nil
}
