package kafkawatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// DefaultInterval is the default time between two rounds of requests.
const DefaultInterval = 5 * time.Second

// Options configure a Watcher.
type Options struct {
	// Interval is the time between two rounds of requests. The Watcher varies it by a
	// tenth. 0 means DefaultInterval.
	Interval time.Duration
	// Wake is called with a StreamProcessor when its facts have changed, or when the
	// deletion of its group has ended or failed in a new way. It must not block.
	Wake func(types.NamespacedName)
	// Tokens returns the source of a service account's tokens.
	Tokens func(ServiceAccount) kafka.TokenSource
	// Observe is called with the duration of each round of requests to a cluster. It
	// may be nil.
	Observe func(time.Duration)
	// Network says how to reach brokers.
	Network dial.Network
	Logger  logr.Logger
}

// Watcher watches Kafka clusters. Its methods don't block and are safe for
// concurrent use.
type Watcher struct {
	opts    Options
	timeout time.Duration // for an answer
	keeping keeping
	running sync.WaitGroup

	mu        sync.Mutex
	ctx       context.Context                    // nil unless started; guarded by mu
	watched   map[types.NamespacedName]*watched  // guarded by mu
	deletions map[types.NamespacedName]*deletion // guarded by mu
	clusters  map[identity]*connections          // guarded by mu
}

// New returns a Watcher that polls once Start is called.
func New(opts Options) *Watcher {
	if opts.Interval <= 0 {
		opts.Interval = DefaultInterval
	}
	if opts.Observe == nil {
		opts.Observe = func(time.Duration) {}
	}
	return &Watcher{
		opts:      opts,
		timeout:   answerTimeout,
		keeping:   defaultKeeping,
		watched:   make(map[types.NamespacedName]*watched),
		deletions: make(map[types.NamespacedName]*deletion),
		clusters:  make(map[identity]*connections),
	}
}

// Start polls until ctx is done. It implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	for _, c := range w.clusters {
		w.launch(c)
	}
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	w.ctx = nil
	w.mu.Unlock()
	w.running.Wait()
	return nil
}

// Set sets the target to watch for a StreamProcessor. With an unchanged target it does
// nothing; with a new one it polls the cluster soon. It forgets facts of another topic,
// group or cluster, and keeps them when only the credentials have changed.
//
// Set returns an error of the target itself, such as a certificate that can't be parsed.
// The error is in the facts too, and the Watcher does not poll until a corrected target
// is set.
func (w *Watcher) Set(key types.NamespacedName, t Target) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.watched[key]
	if old != nil && old.target.equal(&t) {
		return old.invalid
	}
	s := &watched{target: t}
	s.inherit(old)
	w.watched[key] = s
	if s.conns, s.invalid = w.connect(&t.Cluster); s.invalid != nil {
		s.setError(s.invalid, time.Now())
	} else {
		s.conns.targets[key] = s
		s.conns.askNew()
	}
	if old != nil {
		w.detach(key, old)
	}
	return s.invalid
}

// Forget stops watching a StreamProcessor, and stops deleting its group.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endWatch(key)
	w.endDeletion(key)
}

// Facts returns the facts about a StreamProcessor. They are zero if it is not watched.
func (w *Watcher) Facts(key types.NamespacedName) Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return s.facts
	}
	return Facts{}
}

// History returns the samples of the last Target.History, the oldest first: one for each
// good answer that included the input topic, whether or not any offset moved. A sample
// without a change does not call Options.Wake.
func (w *Watcher) History(key types.NamespacedName) []Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return slices.Clone(s.samples)
	}
	return nil
}

// DeleteGroup begins to delete the target's consumer group on the cluster, and returns the
// progress. Call it again for news, after a call of Options.Wake. While the group has
// live members the Watcher tries again. A group that does not exist counts as deleted.
// DeleteGroup also stops watching the StreamProcessor's facts.
func (w *Watcher) DeleteGroup(key types.NamespacedName, t Target) Deletion {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Deferred, so that the deletion can use the connections before they are closed.
	defer w.endWatch(key)
	d := w.deletions[key]
	if d != nil && !d.same(&t) {
		w.endDeletion(key)
		d = nil
	}
	if d == nil {
		return w.startDeletion(key, t)
	}
	if d.result.Done {
		// Reported once: the next call may be about a group that was created since.
		delete(w.deletions, key)
	}
	return d.result
}
