package kafkawatch

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// deletion is the deletion of a consumer group. Watcher.mu guards all fields but target.
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

// update stores the outcome of an attempt, and reports whether it is news.
func (d *deletion) update(err error, now time.Time) bool {
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

// deleteGroups tries all deletions, or the new ones. A cluster that does not answer
// delays only its own groups.
func (c *connections) deleteGroups(ctx context.Context, everything bool) {
	limited, cancel := context.WithTimeout(ctx, c.w.timeout)
	defer cancel()
	for key, d := range c.pending(everything) {
		err := c.admin.DeleteGroup(limited, d.target.GroupID)
		if ctx.Err() != nil {
			return // the end of ctx has caused the failure
		}
		if c.ended(key, d, err) {
			c.w.opts.Wake(key)
		}
		if limited.Err() != nil {
			return // the next round tries the other groups
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

// ended stores the outcome of an attempt if d is still wanted, and reports whether it is
// news.
func (c *connections) ended(key types.NamespacedName, d *deletion, err error) bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if c.deletions[key] != d {
		return false
	}
	news := d.update(err, time.Now())
	if d.result.Done {
		delete(c.deletions, key)
		c.w.closeUnused(c)
	}
	return news
}
