package cluster

import (
	"context"
	"fmt"
)

// Log returns the path of a broker's log.
func (c *Cluster) Log(b int) string { return c.brokers[b].logFile() }

// Running reports whether a broker's process runs and is not paused.
func (c *Cluster) Running(b int) bool {
	p := c.brokers[b].current()
	return p != nil && p.Running() && !p.Paused()
}

// Stop shuts a broker down as an administrator would, and waits for its end. If ctx ends
// before, it kills the broker.
func (c *Cluster) Stop(ctx context.Context, b int) error {
	p := c.brokers[b].current()
	p.Terminate()
	select {
	case <-p.Exited():
		return nil
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("broker %d did not shut down in time and was killed: %w", b, ctx.Err())
	}
}

// Kill ends a broker at once (SIGKILL).
func (c *Cluster) Kill(b int) {
	if p := c.brokers[b].current(); p != nil {
		p.Kill()
	}
}

// Pause makes a broker hang (SIGSTOP). The controllers give its leaders to others when its
// session is over.
func (c *Cluster) Pause(b int) { c.brokers[b].current().Pause() }

// Continue ends a pause.
func (c *Cluster) Continue(b int) { c.brokers[b].current().Continue() }

// Run starts a broker that has ended, on the same data and addresses, and waits until it
// takes part. The overrides replace lines of its configuration until the next Run.
func (c *Cluster) Run(ctx context.Context, b int, overrides map[string]string) error {
	broker := c.brokers[b]
	if p := broker.current(); p.Running() {
		return fmt.Errorf("start broker %d: it runs already", b)
	}
	if err := broker.configure(c.properties, overrides); err != nil {
		return err
	}
	if err := broker.launch(); err != nil {
		return err
	}
	return broker.awaitTakingPart(ctx)
}
