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

// DefaultInterval is the time from one round of questions to the next.
const DefaultInterval = 5 * time.Second

// Options are a Watcher's.
type Options struct {
	// Interval is the time from one round of questions to the next, more or
	// less: it is varied by a tenth. 0 is DefaultInterval.
	Interval time.Duration
	// Wake is called with whose facts have changed, or whose group's deletion
	// has ended or failed otherwise than before. It must not block.
	Wake func(types.NamespacedName)
	// Tokens returns the source of a service account's tokens.
	Tokens func(ServiceAccount) kafka.TokenSource
	// Observe is called with how long each round of questions to a cluster took; nil
	// for nobody.
	Observe func(time.Duration)
	// Network is how brokers are reached.
	Network dial.Network
	Logger  logr.Logger
}

// Watcher watches Kafka clusters. Its methods don't block and are safe for
// concurrent use.
type Watcher struct {
	opts    Options
	timeout time.Duration // of an answer
	keeping keeping
	running sync.WaitGroup

	mu        sync.Mutex
	ctx       context.Context                    // nil unless started; guarded by mu
	watched   map[types.NamespacedName]*watched  // guarded by mu
	deletions map[types.NamespacedName]*deletion // guarded by mu
	clusters  map[identity]*connections          // guarded by mu
}

// New returns a Watcher; Start makes it ask.
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

// Start asks until ctx is done. It implements manager.Runnable.
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

// Set says what to watch for a StreamProcessor. Called with what is watched
// already it does nothing; called with something new it has the cluster asked
// soon. Facts of another topic, group or cluster are forgotten; those of the same
// stay when only the credentials have changed.
//
// The error is one of the target itself, such as a certificate that can't be
// parsed; it is in the facts too, and nothing is asked for until it is corrected.
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
		s.fail(s.invalid, time.Now())
	} else {
		s.conns.targets[key] = s
		s.conns.tell()
	}
	if old != nil {
		w.leave(key, old)
	}
	return s.invalid
}

// Forget ends the questions about a StreamProcessor, and its group's deletion.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endWatch(key)
	w.endDeletion(key)
}

// Facts returns what is known of a StreamProcessor; the zero Facts of one that
// is not watched.
func (w *Watcher) Facts(key types.NamespacedName) Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return s.facts
	}
	return Facts{}
}

// History returns what was seen in the time that the Target asks to keep, the
// oldest first: a sample for each good answer that included the input topic,
// whether or not anything moved. Nobody is woken for a sample in which nothing
// has.
func (w *Watcher) History(key types.NamespacedName) []Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return slices.Clone(s.samples)
	}
	return nil
}

// DeleteGroup has the target's consumer group deleted on the cluster, and returns
// how far that has come; call it again for news. A group with live members is
// tried again until they are gone; a group that does not exist is deleted. Wake
// tells when there is news. The facts are not asked for any more.
func (w *Watcher) DeleteGroup(key types.NamespacedName, t Target) Deletion {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Last, so that the connections are kept if nobody else has them.
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
		// Said once: the next is about a group that may have come since.
		delete(w.deletions, key)
	}
	return d.result
}
