package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// writers write a member's results and its dead letters. Letters go to the input's
// cluster. If results go to another cluster, letters have their own producer, and
// neither waits for the other's brokers.
type writers struct {
	proc *process
	log  logr.Logger

	results *produce.Producer
	letters *produce.Producer // results, unless the clusters differ

	output      *produce.TopicWriter // nil without an output topic
	deadLetters *produce.TopicWriter // nil without a dead-letter topic

	exact *transactions // nil if delivery is not ExactlyOnce

	refused refusedResults // where the producers differ
}

// open makes the producers and asks for the topics that are known.
func (w *writers) open(ctx context.Context, s *settler) error {
	compression := w.proc.cfg.Output.Compression
	if w.proc.clusters.apart && w.proc.cfg.Failure.DeadLetter.Topic != "" {
		w.results = w.newProducer(outputPlace, w.proc.clusters.output, compression, func(a *produce.Ack) { w.ackedApart(a, s) })
		w.letters = w.newProducer(inputPlace, w.proc.clusters.input, config.None, s.acked)
	} else {
		w.results = w.newProducer(outputPlace, w.proc.clusters.output, compression, s.acked)
		w.letters = w.results
	}
	if err := w.proc.patiently(ctx, w.openTopics); err != nil {
		w.close()
		return err
	}
	return nil
}

func (w *writers) newProducer(at place, client *kafka.Client, compression config.Compression, onAck func(*produce.Ack)) *produce.Producer {
	output := w.proc.cfg.Output
	log := w.log
	if w.proc.clusters.apart {
		log = log.WithValues("cluster", at)
	}
	cfg := produce.Config{
		Compression:     compression,
		Linger:          output.Linger.Duration,
		DeliveryTimeout: output.DeliveryTimeout.Duration,
		OnAck:           onAck,
		OnFatal:         func(err error) { w.proc.fail(w.proc.clusters.in(at, err), true) },
		OnThrottle:      func(broker int32, d time.Duration) { w.proc.throttled(at, "produce", broker, d) },
		Logger:          log,
	}
	if w.exact != nil {
		cfg.Transactional, cfg.OnDoomed = true, w.exact.abort
	}
	return produce.New(client, cfg)
}

// openTopics makes the writers of the topics in the configuration.
func (w *writers) openTopics(ctx context.Context) (err error) {
	if t := w.proc.cfg.Output.Topic; t != "" {
		if w.output, err = w.results.Topic(ctx, t, produce.TopicOptions{}); err != nil {
			return w.proc.clusters.in(outputPlace, fmt.Errorf("output topic: %w", err))
		}
	}
	if t := w.proc.cfg.Failure.DeadLetter.Topic; t != "" {
		if w.deadLetters, err = w.letters.Topic(ctx, t, letterOptions); err != nil {
			return w.proc.clusters.in(inputPlace, fmt.Errorf("dead-letter topic: %w", err))
		}
	}
	return nil
}

// named returns the writer of a result's topic; "" is the output topic.
func (w *writers) named(topic string) (*produce.TopicWriter, error) {
	if topic == "" || topic == w.proc.cfg.Output.Topic {
		if w.output == nil {
			return nil, errNoTopic
		}
		return w.output, nil
	}
	writer, err := w.results.Named(topic)
	return writer, w.proc.clusters.in(outputPlace, err)
}

// ackedApart takes the acknowledgements of results where letters have their own
// producer. The letters of refused results wait for that producer's memory, and the
// sender must not.
func (w *writers) ackedApart(a *produce.Ack, s *settler) {
	if a.Err == nil {
		s.acked(a)
		return
	}
	w.refused.add(refusedBatch{slices.Clone(a.Origins), a.Err}, s.refuseAll)
}

// refusedResults holds refused results until their letters are written. One goroutine at
// a time takes them, so that the letters of a key keep its order.
type refusedResults struct {
	mu      sync.Mutex
	waiting []refusedBatch // guarded by mu
	busy    bool           // a goroutine takes them; guarded by mu
	taking  sync.WaitGroup
}

type refusedBatch struct {
	origins []batch.Origin
	err     error
}

// add calls take with a batch, after the batches that were added before it.
func (r *refusedResults) add(b refusedBatch, take func([]batch.Origin, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = append(r.waiting, b)
	if r.busy {
		return
	}
	r.busy = true
	r.taking.Go(func() {
		for batches := r.next(); len(batches) > 0; batches = r.next() {
			for _, b := range batches {
				take(b.origins, b.err)
			}
		}
	})
}

// next returns the waiting batches. If there are none, its caller ends.
func (r *refusedResults) next() []refusedBatch {
	r.mu.Lock()
	defer r.mu.Unlock()
	batches := r.waiting
	r.waiting, r.busy = nil, len(batches) > 0
	return batches
}

// tries changes as long as records wait to be written.
func (w *writers) tries() uint64 {
	n := w.results.Tries()
	if w.letters != w.results {
		n += w.letters.Tries()
	}
	return n
}

// flush returns when all earlier outputs are acknowledged or failed. Letters of
// results that fail in this time may be left.
func (w *writers) flush(ctx context.Context) error {
	err := w.results.Flush(ctx)
	if w.letters != w.results {
		err = errors.Join(err, w.letters.Flush(ctx))
	}
	return err
}

// close drops the outputs that are not acknowledged.
func (w *writers) close() {
	w.results.Close()
	if w.letters != w.results {
		w.letters.Close()
	}
	w.refused.taking.Wait()
}
