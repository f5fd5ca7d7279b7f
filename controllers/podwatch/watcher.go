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
	// Address is host:port of its /status.
	Address string
}

// Options are a Watcher's.
type Options struct {
	// Interval is the time from one round of questions to the next, more or less:
	// it is varied by a tenth.
	Interval time.Duration
	// Wake is called with whose facts have changed. It must not block.
	Wake func(types.NamespacedName)
	// Observe is called with how long each round of questions took; nil for nobody.
	Observe func(time.Duration)
	Logger  logr.Logger
}

// Watcher asks the pods, those of each StreamProcessor on its own: pods that don't
// answer keep those of another waiting for nothing. Its methods don't block and are
// safe for concurrent use.
type Watcher struct {
	opts   Options
	client *http.Client
	// fresh is how long an answer counts.
	fresh   time.Duration
	running sync.WaitGroup

	mu      sync.Mutex
	ctx     context.Context                   // nil unless started; guarded by mu
	watched map[types.NamespacedName]*watched // guarded by mu
}

// watched is one StreamProcessor. All of it is guarded by Watcher.mu.
type watched struct {
	pods    []Pod // its elements are never written to
	reports map[Pod]*report
	told    Facts       // when somebody was woken last
	next    *time.Timer // of its next round; nil while there is none to come
}

// New returns a Watcher; Start makes it ask.
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

// Forget ends the questions about a StreamProcessor.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		s.unschedule()
		delete(w.watched, key)
	}
}

// Facts returns what the pods of a StreamProcessor said last.
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

// Start asks until ctx is done. It implements manager.Runnable.
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

// schedule has the pods asked after a pause, unless that is planned already. It
// needs Watcher.mu.
func (w *Watcher) schedule(key types.NamespacedName, s *watched, pause time.Duration) {
	if w.ctx == nil || s.next != nil || len(s.pods) == 0 {
		return
	}
	s.next = time.AfterFunc(pause, func() { w.turn(key, s) })
}

func (s *watched) unschedule() {
	if s.next != nil {
		s.next.Stop()
		s.next = nil
	}
}

// turn is a round of questions, after which the next is scheduled.
func (w *Watcher) turn(key types.NamespacedName, s *watched) {
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
		// Jitter, so that operators and their clusters don't fall into step.
		w.schedule(key, s, time.Duration(float64(w.opts.Interval)*(0.9+0.2*rand.Float64())))
	}
}
