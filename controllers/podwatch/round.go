package podwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
)

const (
	answerTimeout = 2 * time.Second
	// podsAtOnce bounds the concurrent requests to pods of one StreamProcessor.
	podsAtOnce = 8
	// roundTimeout ends a round in which many pods don't answer. The next round begins
	// with the pods that do.
	roundTimeout = 5 * time.Second
)

func newClient() *http.Client {
	return &http.Client{
		Timeout: answerTimeout,
		Transport: &http.Transport{
			// The addresses are those of pods, which no proxy knows.
			Proxy: nil,
			// New connections cost less than thousands of open ones.
			DisableKeepAlives: true,
			// A compressed answer could be larger after unpacking than maxAnswer.
			DisableCompression:     true,
			MaxResponseHeaderBytes: 8 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// round asks the pods of a StreamProcessor once, and calls Wake if the facts have changed.
func (w *Watcher) round(ctx context.Context, key types.NamespacedName, s *watched) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, roundTimeout)
	defer cancel()
	var questions errgroup.Group
	questions.SetLimit(podsAtOnce)
	for _, pod := range w.order(s) {
		if ctx.Err() != nil {
			break
		}
		questions.Go(func() error {
			if r := w.ask(ctx, pod); r != nil {
				w.store(s, pod, r)
			}
			return nil
		})
	}
	_ = questions.Wait() // the functions return no errors
	w.opts.Observe(time.Since(began))
	if w.news(key, s) {
		w.opts.Wake(key)
	}
}

// order returns the pods with those first that answered last time. The order is random
// otherwise, so that each pod gets its turn in time.
func (w *Watcher) order(s *watched) []Pod {
	w.mu.Lock()
	defer w.mu.Unlock()
	pods := slices.Clone(s.pods)
	rand.Shuffle(len(pods), func(i, j int) { pods[i], pods[j] = pods[j], pods[i] })
	since := time.Now().Add(-w.fresh)
	answering := func(pod Pod) bool { r := s.reports[pod]; return r != nil && !r.at.Before(since) }
	slices.SortStableFunc(pods, func(a, b Pod) int {
		switch x, y := answering(a), answering(b); {
		case x && !y:
			return -1
		case y && !x:
			return 1
		default:
			return 0
		}
	})
	return pods
}

// store stores a pod's report, unless the pod has been removed since.
func (w *Watcher) store(s *watched, pod Pod, r *report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Contains(s.pods, pod) {
		s.reports[pod] = r
	}
}

// news reports whether the facts differ from those at the last call of Wake.
func (w *Watcher) news(key types.NamespacedName, s *watched) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[key] != s {
		return false
	}
	now := w.facts(s)
	if !now.differs(&s.told) {
		return false
	}
	s.told = now
	return true
}

// ask asks one pod. It returns nil if the pod does not answer: the pod starts, stops or
// fails, and Kubernetes reports that better.
func (w *Watcher) ask(ctx context.Context, pod Pod) *report {
	a, err := w.get(ctx, "http://"+pod.Address+"/status?troubled")
	if err != nil {
		w.opts.Logger.V(1).Info("can't read the status of a worker", "pod", pod.Name, "error", err.Error())
		return nil
	}
	return a.report(pod.Name, time.Now())
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
	content, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	if len(content) > maxAnswer {
		return nil, fmt.Errorf("GET %s: the answer is larger than %d bytes", url, maxAnswer)
	}
	var a answer
	if err := json.Unmarshal(content, &a); err != nil {
		return nil, fmt.Errorf("GET %s: %w", url, err)
	}
	return &a, nil
}
