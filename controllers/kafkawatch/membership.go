package kafkawatch

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
)

// Who shares which connections. All of these need Watcher.mu.

// connect returns the connections to a cluster, new ones if nobody has any.
func (w *Watcher) connect(cluster *Cluster) (*connections, error) {
	cfg, err := cluster.config(w.opts.Tokens)
	if err != nil {
		return nil, err
	}
	id := cluster.identity(cfg.SASL)
	if c := w.clusters[id]; c != nil {
		return c, nil
	}
	admin, err := cluster.connect(cfg, &w.opts.Network, w.opts.Logger)
	if err != nil {
		return nil, err
	}
	c := &connections{
		w: w, id: id, servers: cluster.BootstrapServers, admin: admin, news: make(chan struct{}, 1),
		targets:   make(map[types.NamespacedName]*watched),
		deletions: make(map[types.NamespacedName]*deletion),
	}
	w.clusters[id] = c
	if w.ctx != nil {
		w.launch(c)
	}
	return c, nil
}

// launch starts a cluster's own goroutines: one that asks, and one that keeps
// groups' offsets. So a cluster that hangs delays no other, and a renewal delays no
// question.
func (w *Watcher) launch(c *connections) {
	ctx, stop := context.WithCancel(w.ctx)
	c.stop = stop
	w.running.Go(func() { c.run(ctx) })
	w.running.Go(func() { (&keeper{c: c}).run(ctx) })
}

// leave takes an earlier target of key's off its connections.
func (w *Watcher) leave(key types.NamespacedName, s *watched) {
	if c := s.conns; c != nil {
		if c.targets[key] == s {
			delete(c.targets, key)
		}
		w.release(c)
	}
}

func (w *Watcher) endWatch(key types.NamespacedName) {
	if s := w.watched[key]; s != nil {
		delete(w.watched, key)
		w.leave(key, s)
	}
}

func (w *Watcher) startDeletion(key types.NamespacedName, t Target) Deletion {
	c, err := w.connect(&t.Cluster)
	if err != nil {
		return Deletion{Err: err}
	}
	d := &deletion{target: t, conns: c}
	w.deletions[key], c.deletions[key] = d, d
	c.tell()
	return Deletion{}
}

func (w *Watcher) endDeletion(key types.NamespacedName) {
	if d := w.deletions[key]; d != nil {
		delete(w.deletions, key)
		delete(d.conns.deletions, key)
		w.release(d.conns)
	}
}

// release ends connections that nobody shares any more.
func (w *Watcher) release(c *connections) {
	if len(c.targets) > 0 || len(c.deletions) > 0 || w.clusters[c.id] != c {
		return
	}
	delete(w.clusters, c.id)
	if c.stop != nil {
		c.stop() // it closes them
	} else {
		c.admin.Close()
	}
}
