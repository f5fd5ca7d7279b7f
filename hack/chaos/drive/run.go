package drive

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/hack/chaos/proxy"
)

// startTimeout bounds the start of the cluster.
const startTimeout = 4 * time.Minute

// Run carries out a run. When ctx ends, it ends early and returns what it has.
func Run(ctx context.Context, o Options) ([]Result, error) {
	j := newJournal(o.Out)
	j.log("starting three brokers of Apache Kafka in %s", o.Dir)
	c, proxies, err := startCluster(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		c.Close()
		_ = proxies.Close()
	}()
	var results []Result
	count, length := o.episodes()
	for n := range count {
		if ctx.Err() != nil {
			break
		}
		s, err := newStage(ctx, o, o.episode(n, length), c, proxies, j)
		if err != nil {
			return results, fmt.Errorf("prepare episode %d: %w", n+1, err)
		}
		result, err := s.play(ctx)
		if err != nil {
			return results, fmt.Errorf("episode %d: %w", n+1, err)
		}
		results = append(results, result)
		j.log("episode %d has ended: %s", n+1, result.outcome())
		if result.broken() {
			continue // the logs are evidence
		}
		if err := s.clean(ctx); err != nil {
			return results, err
		}
	}
	return results, nil
}

func startCluster(ctx context.Context, o Options) (*cluster.Cluster, *proxy.Set, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	const brokers = 3
	proxies, err := proxy.Listen(brokers)
	if err != nil {
		return nil, nil, err
	}
	c, err := cluster.Start(ctx, cluster.Config{
		Dir: filepath.Join(o.Dir, "kafka"), Script: o.Script, Advertised: proxies.Addrs(),
	})
	if err != nil {
		_ = proxies.Close()
		return nil, nil, fmt.Errorf("start the cluster: %w", err)
	}
	for b, target := range c.SubjectTargets() {
		proxies.Forward(b, target)
	}
	return c, proxies, nil
}
