package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// retryTimeout bounds Retry.
const retryTimeout = 30 * time.Second

// Retry calls attempt until it succeeds, fails for good, or retryTimeout or ctx ends.
// It returns the last attempt's error. A missing topic fails for good, and so does a
// cluster that was never reached: both are probably mistakes in the configuration.
func (c *Client) Retry(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	var pause backoff.Backoff
	var last error
	for {
		err := attempt(ctx)
		if err != nil && ctx.Err() != nil && last != nil {
			// This attempt was cut short: the error of the one before says more.
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
