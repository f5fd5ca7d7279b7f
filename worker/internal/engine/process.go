package engine

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// process holds the parts that the members of a worker process share.
type process struct {
	cfg      config.Config
	log      logr.Logger
	policy   failure.Policy
	metrics  *telemetry.Metrics
	code     *usercode.Code
	clusters clusters
	failures *failureLog
	feeders  []*mailbox // of every member

	turns   turns
	life    lifetime
	rates   rates
	settled atomic.Int64 // records, since the process started
	// overtaken has the losses of all members: a partition may move from one to another.
	overtaken overtaken

	stop context.CancelFunc // begins the drain of every member

	mu  sync.Mutex
	err error // why the worker ends, nil for a graceful stop; guarded by mu
	// waiting is why the cluster can't be used yet, "" once it can; guarded by mu.
	waiting string
}

func newProcess(cfg config.Config, code *usercode.Code, metrics *telemetry.Metrics, log logr.Logger) *process {
	failures := newFailureLog(telemetry.NewLimited(log))
	return &process{
		cfg: cfg, log: log, policy: failure.NewPolicy(cfg.Failure), code: code, metrics: metrics, failures: failures,
		life:     newLifetime(cfg.StateDir, log),
		clusters: clusters{cfg: cfg, metrics: metrics, log: log},
	}
}

// connect reaches the clusters and makes sure that the topics exist.
func (p *process) connect(ctx context.Context) error {
	if err := p.clusters.open(); err != nil {
		return err
	}
	return p.patiently(ctx, p.clusters.checkTopics)
}

// wakeFeeders makes every member's feeder look around.
func (p *process) wakeFeeders() {
	for _, f := range p.feeders {
		f.wake.Notify()
	}
}
