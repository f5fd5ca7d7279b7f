package podwatch

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
)

// Pod is a worker's pod.
type Pod struct {
	Name string
	// Address is the host:port that serves /status.
	Address string
}

// Options configure a Watcher.
type Options struct {
	// Interval is the time between two rounds of requests. The Watcher varies it by a
	// tenth.
	Interval time.Duration
	// Wake is called with a StreamProcessor when its facts have changed. It must not
	// block.
	Wake func(types.NamespacedName)
	// Observe is called with the duration of each round of requests. It may be nil.
	Observe func(time.Duration)
	Logger  logr.Logger
}

// Watcher polls the pods, in separate rounds for each StreamProcessor, so that pods that
// don't answer delay no other StreamProcessor. Its methods don't block and are safe for
// concurrent use.
type Watcher struct {
	opts   Options
	client *http.Client
	// fresh is how long an answer remains valid.
	fresh   time.Duration
	running sync.WaitGroup

	mu      sync.Mutex
	ctx     context.Context                   // nil unless started; guarded by mu
	watched map[types.NamespacedName]*watched // guarded by mu
}

// watched is the state of one StreamProcessor. Watcher.mu guards all fields.
type watched struct {
	pods    []Pod // replaced, never modified
	reports map[Pod]*report
	told    Facts       // at the last call of Wake
	next    *time.Timer // of the next round; nil if none is scheduled
}

// New returns a Watcher that polls once Start is called.
func New(opts Options) *Watcher {
	if opts.Observe == nil {
		opts.Observe = func(time.Duration) {}
	}
	return &Watcher{
		opts: opts, client: newClient(),
		fresh:   max(3*opts.Interval, 5*answerTimeout),
		watched: make(map[types.NamespacedName]*watched),
	}
}

// Set says which pods belong to a StreamProcessor.
func (w *Watcher) Set(key types.NamespacedName, pods []Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.watched[key]
	if s == nil {
		s = &watched{reports: map[Pod]*report{}, told: Facts{Saturation: -1}}
		w.watched[key] = s
	}
	s.pods = slices.Clone(pods)
	for pod := range s.reports {
		if !slices.Contains(pods, pod) {
			delete(s.reports, pod)
		}
	}
	w.schedule(key, s, rand.N(w.opts.Interval/4+1))
}

// Forget stops watching a StreamProcessor.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		s.unschedule()
		delete(w.watched, key)
	}
}

// Facts returns the facts from the last answers of a StreamProcessor's pods.
func (w *Watcher) Facts(key types.NamespacedName) Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return w.facts(s)
	}
	return Facts{Saturation: -1}
}

// facts needs Watcher.mu.
func (w *Watcher) facts(s *watched) Facts {
	return join(s.pods, s.reports, time.Now().Add(-w.fresh))
}

// Start polls until ctx is done. It implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	for key, s := range w.watched {
		w.schedule(key, s, rand.N(w.opts.Interval/4+1))
	}
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	w.ctx = nil
	for _, s := range w.watched {
		s.unschedule()
	}
	w.mu.Unlock()
	w.running.Wait()
	return nil
}

// schedule schedules a round after a pause, unless one is scheduled already. It needs
// Watcher.mu.
func (w *Watcher) schedule(key types.NamespacedName, s *watched, pause time.Duration) {
	if w.ctx == nil || s.next != nil || len(s.pods) == 0 {
		return
	}
	s.next = time.AfterFunc(pause, func() { w.scheduledRound(key, s) })
}

func (s *watched) unschedule() {
	if s.next != nil {
		s.next.Stop()
		s.next = nil
	}
}

// scheduledRound does a round of requests and schedules the next one.
func (w *Watcher) scheduledRound(key types.NamespacedName, s *watched) {
	w.mu.Lock()
	if w.ctx == nil || w.watched[key] != s {
		w.mu.Unlock()
		return
	}
	ctx := w.ctx
	w.running.Add(1)
	w.mu.Unlock()
	defer w.running.Done()

	w.round(ctx, key, s)

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[key] == s {
		s.next = nil
		// Jitter keeps operators and clusters from falling into step.
		w.schedule(key, s, time.Duration(float64(w.opts.Interval)*(0.9+0.2*rand.Float64())))
	}
}
