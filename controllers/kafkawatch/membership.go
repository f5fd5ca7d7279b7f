package kafkawatch

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
)

// This file assigns StreamProcessors to connections. All methods need Watcher.mu.

// connect returns the connections to a cluster, and makes them if there are none.
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

// launch starts two goroutines for a cluster: one polls it, and one renews groups. So a
// cluster that hangs delays no other cluster, and a renewal delays no request.
func (w *Watcher) launch(c *connections) {
	ctx, stop := context.WithCancel(w.ctx)
	c.stop = stop
	w.running.Go(func() { c.run(ctx) })
	w.running.Go(func() { (&keeper{c: c}).run(ctx) })
}

// detach removes an earlier target of key from its connections.
func (w *Watcher) detach(key types.NamespacedName, s *watched) {
	if c := s.conns; c != nil {
		if c.targets[key] == s {
			delete(c.targets, key)
		}
		w.closeUnused(c)
	}
}

func (w *Watcher) endWatch(key types.NamespacedName) {
	if s := w.watched[key]; s != nil {
		delete(w.watched, key)
		w.detach(key, s)
	}
}

func (w *Watcher) startDeletion(key types.NamespacedName, t Target) Deletion {
	c, err := w.connect(&t.Cluster)
	if err != nil {
		return Deletion{Err: err}
	}
	d := &deletion{target: t, conns: c}
	w.deletions[key], c.deletions[key] = d, d
	c.askNew()
	return Deletion{}
}

func (w *Watcher) endDeletion(key types.NamespacedName) {
	if d := w.deletions[key]; d != nil {
		delete(w.deletions, key)
		delete(d.conns.deletions, key)
		w.closeUnused(d.conns)
	}
}

// closeUnused closes connections that nobody uses any more.
func (w *Watcher) closeUnused(c *connections) {
	if len(c.targets) > 0 || len(c.deletions) > 0 || w.clusters[c.id] != c {
		return
	}
	delete(w.clusters, c.id)
	if c.stop != nil {
		c.stop() // run closes the connections
	} else {
		c.admin.Close()
	}
}
