package podwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
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
	// Interval is the time from one round of questions to the next.
	Interval time.Duration
	// Wake is called with whose facts have changed. It must not block.
	Wake   func(types.NamespacedName)
	Logger logr.Logger
}

// Watcher asks the pods. Its methods don't block and are safe for concurrent
// use.
type Watcher struct {
	opts   Options
	client *http.Client

	mu      sync.Mutex
	watched map[types.NamespacedName]*watched // guarded by mu
}

type watched struct {
	pods  []Pod // guarded by Watcher.mu; its elements are never written to
	facts Facts // guarded by Watcher.mu
}

// New returns a Watcher; Start makes it ask.
func New(opts Options) *Watcher {
	return &Watcher{
		opts: opts,
		client: &http.Client{
			Timeout: answerTimeout,
			Transport: &http.Transport{
				// Pods are reached by their address; no proxy knows it.
				Proxy: nil, MaxIdleConnsPerHost: 1, IdleConnTimeout: 4 * opts.Interval,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		watched: make(map[types.NamespacedName]*watched),
	}
}

const (
	answerTimeout = 2 * time.Second
	// processorsAtOnce and podsAtOnce, of each, bound what is asked at the same
	// time.
	processorsAtOnce = 16
	podsAtOnce       = 8
	// maxAnswer bounds one answer in bytes: thousands of partitions fit.
	maxAnswer = 8 << 20
)

// Set says which pods belong to a StreamProcessor.
func (w *Watcher) Set(key types.NamespacedName, pods []Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[key] == nil {
		w.watched[key] = &watched{facts: Facts{Saturation: -1}}
	}
	w.watched[key].pods = slices.Clone(pods)
}

// Forget ends the questions about a StreamProcessor.
func (w *Watcher) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.watched, key)
}

// Facts returns what the pods of a StreamProcessor said last.
func (w *Watcher) Facts(key types.NamespacedName) Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.watched[key]; s != nil {
		return s.facts
	}
	return Facts{Saturation: -1}
}

// Start asks until ctx is done. It implements manager.Runnable.
func (w *Watcher) Start(ctx context.Context) error {
	for {
		// Jitter, so that operators and their clusters don't fall into step.
		pause := time.Duration(float64(w.opts.Interval) * (0.9 + 0.2*rand.Float64()))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		w.round(ctx)
	}
}

// round asks all pods once. A StreamProcessor with pods that don't answer keeps
// the others waiting only when there are many such.
func (w *Watcher) round(ctx context.Context) {
	var round errgroup.Group
	round.SetLimit(processorsAtOnce)
	for key, pods := range w.all() {
		round.Go(func() error {
			w.keep(key, pods, facts(pods, w.askAll(ctx, pods)))
			return nil
		})
	}
	_ = round.Wait() // none of them fails
}

func (w *Watcher) askAll(ctx context.Context, pods []Pod) []*answer {
	answers := make([]*answer, len(pods))
	var questions errgroup.Group
	questions.SetLimit(podsAtOnce)
	for i, pod := range pods {
		questions.Go(func() error {
			answers[i] = w.ask(ctx, pod)
			return nil
		})
	}
	_ = questions.Wait() // none of them fails
	return answers
}

func (w *Watcher) all() map[types.NamespacedName][]Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[types.NamespacedName][]Pod, len(w.watched))
	for key, s := range w.watched {
		all[key] = s.pods
	}
	return all
}

// ask returns nil for a pod that does not answer: it starts, stops or fails,
// which Kubernetes tells better.
func (w *Watcher) ask(ctx context.Context, pod Pod) *answer {
	a, err := w.get(ctx, "http://"+pod.Address+"/status")
	if err != nil {
		w.opts.Logger.V(1).Info("a worker does not tell its status", "pod", pod.Name, "error", err.Error())
		return nil
	}
	return a
}

func (w *Watcher) get(ctx context.Context, url string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", url, res.Status)
	}
	var a answer
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a); err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	return &a, nil
}

// keep is told what a round has found, unless the pods have changed since.
func (w *Watcher) keep(key types.NamespacedName, pods []Pod, now Facts) {
	w.mu.Lock()
	s := w.watched[key]
	if s == nil || !slices.Equal(s.pods, pods) {
		w.mu.Unlock()
		return
	}
	changed := now.differs(s.facts)
	s.facts = now
	w.mu.Unlock()
	if changed {
		w.opts.Wake(key)
	}
}
