package kafkawatch

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

// gathering is how long the first request about a new target waits for others. An
// operator that starts learns of thousands of targets within a second.
const gathering = 50 * time.Millisecond

// connections are the connections to one cluster with one credential, and the
// StreamProcessors that share them.
type connections struct {
	w       *Watcher
	id      identity
	servers []string // for the log
	admin   *admin.Admin
	// news holds a signal while there are new targets or deletions.
	news chan struct{}

	stop      context.CancelFunc                 // nil until it runs; guarded by Watcher.mu
	targets   map[types.NamespacedName]*watched  // guarded by Watcher.mu
	deletions map[types.NamespacedName]*deletion // guarded by Watcher.mu
}

// askNew signals run that there are new targets or deletions. It does not block.
func (c *connections) askNew() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// run polls until ctx is done: all targets at each interval, and new ones in between.
func (c *connections) run(ctx context.Context) {
	defer c.admin.Close()
	timer := time.NewTimer(c.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.news:
			if !pause(ctx, gathering) {
				return
			}
			c.ask(ctx, false)
			c.deleteGroups(ctx, false)
		case <-timer.C:
			c.ask(ctx, true)
			c.deleteGroups(ctx, true)
			timer.Reset(c.interval())
		}
	}
}

// interval returns the interval with jitter, so that operators and clusters don't fall into
// step.
func (c *connections) interval() time.Duration {
	return time.Duration(float64(c.w.opts.Interval) * (0.9 + 0.2*rand.Float64()))
}

// ask does one round of requests about all targets, or about the new ones.
func (c *connections) ask(ctx context.Context, everything bool) {
	keys, asked, unknown := c.due(everything)
	if len(keys) == 0 {
		return
	}
	targets := make([]*Target, len(asked))
	for i, s := range asked {
		targets[i] = &s.target
	}
	began := time.Now()
	answers := c.questions(ctx, targets, unknown)
	if ctx.Err() != nil {
		return // the end of ctx has caused the failures
	}
	c.w.opts.Observe(time.Since(began))
	for _, key := range c.store(keys, asked, answers) {
		c.w.opts.Wake(key)
	}
}

// due returns the StreamProcessors to ask about, and the unknown partitions of each.
func (c *connections) due(everything bool) (keys []types.NamespacedName, due []*watched, unknown [][]int32) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for key, s := range c.targets {
		if everything || !s.asked {
			s.asked = true
			keys, due, unknown = append(keys, key), append(due, s), append(unknown, s.facts.Unknown)
		}
	}
	return keys, due, unknown
}

// store stores the answers, except those about targets that have been replaced since. It
// returns the StreamProcessors whose facts have changed.
func (c *connections) store(keys []types.NamespacedName, asked []*watched, answers []answer) []types.NamespacedName {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	var changed []types.NamespacedName
	for i, key := range keys {
		if c.targets[key] == asked[i] && asked[i].update(answers[i]) {
			changed = append(changed, key)
		}
	}
	return changed
}
