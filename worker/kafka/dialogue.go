package kafka

import (
	"context"
	"errors"
)

// Dialogue is a SASL dialogue under way, on another client's connection.
type Dialogue interface {
	// Next takes the broker's answer. Unless the dialogue is done, the response goes
	// to the broker.
	Next(ctx context.Context, answer []byte) (done bool, response []byte, err error)
}

// Authenticate begins a dialogue with the client's credentials, and returns the first
// message to the broker. Other Kafka clients in the process use it to share the
// credentials and tokens.
func (c *Client) Authenticate(ctx context.Context, address string) (Dialogue, []byte, error) {
	if c.dialer.login == nil {
		return nil, nil, errors.New("the client has no credentials")
	}
	return c.dialer.login.mechanism.Start(withBroker(ctx, address))
}
