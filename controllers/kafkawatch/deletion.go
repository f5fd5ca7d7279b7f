package kafkawatch

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// deletion is a consumer group's. All but target is guarded by Watcher.mu.
type deletion struct {
	target Target
	conns  *connections
	tried  bool
	result Deletion
	told   time.Time // when result.Err was set
}

func (d *deletion) same(t *Target) bool {
	return d.target.GroupID == t.GroupID && d.target.Cluster.equal(&t.Cluster)
}

// take adds the outcome of a try, and reports whether it is news.
func (d *deletion) take(err error, now time.Time) bool {
	if err == nil {
		d.result = Deletion{Done: true}
		return true
	}
	if !worthTelling(d.result.Err, err, now.Sub(d.told)) {
		return false
	}
	d.result.Err, d.told = err, now
	return true
}

// deleteGroups tries all deletions, or the new ones. A cluster that does not
// answer holds up its own only.
func (c *connections) deleteGroups(ctx context.Context, everything bool) {
	limited, cancel := context.WithTimeout(ctx, c.w.timeout)
	defer cancel()
	for key, d := range c.pending(everything) {
		err := c.admin.DeleteGroup(limited, d.target.GroupID)
		if ctx.Err() != nil {
			return // what failed, failed for that
		}
		if c.ended(key, d, err) {
			c.w.opts.Wake(key)
		}
		if limited.Err() != nil {
			return // the rest next time
		}
	}
}

func (c *connections) pending(everything bool) map[types.NamespacedName]*deletion {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	pending := make(map[types.NamespacedName]*deletion)
	for key, d := range c.deletions {
		if everything || !d.tried {
			d.tried = true
			pending[key] = d
		}
	}
	return pending
}

// ended takes the outcome of a try over and reports whether it is news.
func (c *connections) ended(key types.NamespacedName, d *deletion, err error) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.deletions[key] != d {
		return false
	}
	news := d.take(err, time.Now())
	if d.result.Done {
		delete(c.deletions, key)
		c.w.release(c)
	}
	return news
}
