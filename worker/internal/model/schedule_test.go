package model

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/model/broker"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// schedule is one run of a plan.
type schedule struct {
	t      testing.TB
	plan   *plan
	server *broker.Server
	number int // of workers that were started

	mu    sync.Mutex
	rand  *rand.Rand   // guarded by mu
	calm  bool         // no more faults; guarded by mu
	log   bytes.Buffer // of all workers; guarded by mu
	begun time.Time
}

// run runs the plan on a virtual clock, and checks it while it runs and at its end.
func (p *plan) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{
			t: t, plan: p, server: broker.NewServer(p.version, p.brokers), rand: rand.New(rand.NewPCG(p.seed, 3)), begun: time.Now(),
		}
		defer func() {
			if t.Failed() {
				t.Logf("%v\n%s", p, s.log.String())
			}
		}()
		s.server.Fault = s.fault
		s.server.MarkerDelay = func() time.Duration { return s.upTo(p.markers) }
		s.server.CreateTopic("in", p.partitions)
		s.server.CreateTopic("out", p.outputs)
		s.play()
	})
}

// play lets the workers work through trouble, then in peace until all records are
// settled, and ends them.
func (s *schedule) play() {
	workers := make([]*worked, s.plan.workers)
	for i := range workers {
		workers[i] = s.start()
	}
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		s.produce()
	}()
	var replaced []*worked
	for now := time.Duration(0); now < trouble && !s.t.Failed(); now += 100 * time.Millisecond {
		for _, e := range s.plan.events {
			if e.at >= now && e.at < now+100*time.Millisecond {
				if w := s.happen(e, &workers[e.worker]); w != nil {
					replaced = append(replaced, w)
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
		s.check()
	}
	<-produced
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	for _, w := range workers {
		w.host.Cut(false)
	}
	time.Sleep(aftermath) // the partitions of dropped workers get their next owners
	s.awaitSettled(workers)
	all := append(workers, replaced...)
	for _, w := range all {
		w.cancel()
		if err := w.wait(); err != nil && !w.dropped {
			s.t.Errorf("%s ended with: %v", w.host.Name, err)
		}
	}
	time.Sleep(aftermath)
	s.checkEnd()
	for _, w := range all {
		w.host.Cut(true)
	}
	time.Sleep(aftermath)
}

// aftermath is the time in which requests and transactions under way end by themselves.
const aftermath = time.Minute

// upTo returns a random time.
func (s *schedule) upTo(longest time.Duration) time.Duration {
	if longest == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.rand.Int64N(int64(longest)))
}

func (s *schedule) oneIn(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return n > 0 && !s.calm && s.rand.IntN(n) == 0
}

// fault decides what befalls a request.
func (s *schedule) fault(_ *broker.Host, key kmsg.Key) broker.Fault {
	f := broker.Fault{After: s.upTo(s.plan.latency)}
	if key == kmsg.Fetch {
		f.After = 0
	}
	if s.oneIn(s.plan.lossy) {
		f.Lose = broker.Loss(1 + s.upTo(3))
		f.Before = s.upTo(5 * time.Second)
	}
	return f
}

// happen lets an event befall a worker. It returns the worker if another one replaces it.
func (s *schedule) happen(e event, place **worked) (replaced *worked) {
	w := *place
	switch e.what {
	case stop:
		w.cancel()
	case drop:
		w.dropped = true
		w.host.Cut(true)
	case cutOff:
		w.host.Cut(true)
		time.AfterFunc(e.lasts, func() { w.host.Cut(w.dropped) })
		return nil
	}
	*place = s.start()
	return w
}

// worked is a worker.
type worked struct {
	host    *broker.Host
	engine  *engine.Engine
	cancel  context.CancelFunc
	dropped bool
	ended   chan struct{}
	err     error // once ended is closed
}

func (w *worked) wait() error {
	<-w.ended
	return w.err
}

func (s *schedule) start() *worked {
	s.number++
	w := &worked{host: s.server.NewHost(fmt.Sprintf("worker-%d", s.number)), ended: make(chan struct{})}
	code, err := usercode.Of[worker.Record, worker.Outputs, worker.Outcome](worker.Processor(processor{s}))
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := s.plan.config()
	e := engine.New(cfg, code, telemetry.NewMetrics(cfg.Input.Topic), funcr.New(func(_, args string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(&s.log, "%v %s %s\n", time.Since(s.begun), w.host.Name, args)
	}, funcr.Options{}))
	e.DialWith(w.host.Dial)
	w.engine = e
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(w.ended)
		w.err = e.Run(ctx)
	}()
	return w
}
