package kafka

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// retry calls attempt until it succeeds, fails for good, or requestTimeout or
// ctx is over; then the last attempt's error is returned. A missing topic is
// for good, and so is a cluster that was never reached: both are more likely a
// mistake in the configuration than a state that passes.
func (c *Client) retry(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	var pause backoff.Backoff
	var last error
	for {
		err := attempt(ctx)
		if err != nil && ctx.Err() != nil && last != nil {
			// Cut short: the attempt before says more.
			return last
		}
		if err == nil || !Retriable(err) || errors.Is(err, ErrTopicNotFound) {
			return err
		}
		if errors.Is(err, ErrUnreachable) && c.brokers.empty() {
			return err
		}
		last = err
		if pause.Wait(ctx) != nil {
			return err
		}
	}
}
