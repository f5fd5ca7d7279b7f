package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// writers write a member's results and its dead letters. Letters go to the input's
// cluster, so they have a producer by themselves where results go to another one:
// neither waits for the other's brokers.
type writers struct {
	results *kafka.Producer
	letters *kafka.Producer // results, unless the clusters differ

	output      *kafka.TopicWriter // nil without an output topic
	deadLetters *kafka.TopicWriter // nil without a dead-letter topic

	refused refusedResults // where the producers differ
}

// openWriters makes the producers and asks for the topics that are known.
func (m *member) openWriters(ctx context.Context) error {
	w := &m.writers
	compression := m.e.cfg.Output.Compression
	if m.e.apart && m.e.cfg.Failure.DeadLetter.Topic != "" {
		w.results = m.newProducer(outputPlace, m.e.output, compression, m.ackedApart)
		w.letters = m.newProducer(inputPlace, m.e.client, config.None, m.acked)
	} else {
		w.results = m.newProducer(outputPlace, m.e.output, compression, m.acked)
		w.letters = w.results
	}
	if err := m.e.patiently(ctx, m.openTopics); err != nil {
		m.writers.close()
		return err
	}
	return nil
}

func (m *member) newProducer(at place, client *kafka.Client, compression config.Compression, onAck func(*kafka.Ack)) *kafka.Producer {
	output := m.e.cfg.Output
	log := m.log
	if m.e.apart {
		log = log.WithValues("cluster", at)
	}
	return client.NewProducer(kafka.ProducerConfig{
		Compression:     compression,
		Linger:          output.Linger.Duration,
		DeliveryTimeout: output.DeliveryTimeout.Duration,
		OnAck:           onAck,
		OnFatal:         func(err error) { m.e.fail(m.e.in(at, err), true) },
		OnThrottle:      func(broker int32, d time.Duration) { m.e.throttled(at, "produce", broker, d) },
		Logger:          log,
	})
}

// openTopics makes the writers of the topics that the configuration names.
func (m *member) openTopics(ctx context.Context) (err error) {
	w := &m.writers
	if t := m.e.cfg.Output.Topic; t != "" {
		if w.output, err = w.results.Topic(ctx, t, kafka.TopicOptions{}); err != nil {
			return m.e.in(outputPlace, fmt.Errorf("output topic: %w", err))
		}
	}
	if t := m.e.cfg.Failure.DeadLetter.Topic; t != "" {
		if w.deadLetters, err = w.letters.Topic(ctx, t, letterOptions); err != nil {
			return m.e.in(inputPlace, fmt.Errorf("dead-letter topic: %w", err))
		}
	}
	return nil
}

// writer returns the writer of a result's topic; "" is the output topic.
func (m *member) writer(topic string) (*kafka.TopicWriter, error) {
	if topic == "" || topic == m.e.cfg.Output.Topic {
		if m.writers.output == nil {
			return nil, errNoTopic
		}
		return m.writers.output, nil
	}
	writer, err := m.writers.results.Named(topic)
	return writer, m.e.in(outputPlace, err)
}

// ackedApart takes the acknowledgements of results where letters have a producer by
// themselves. The letters of refused results wait for that one's memory, and the
// sender must not.
func (m *member) ackedApart(a *kafka.Ack) {
	if a.Err == nil {
		m.acked(a)
		return
	}
	m.writers.refused.add(refusedBatch{slices.Clone(a.Origins), a.Err}, m.refuseAll)
}

// refusedResults are results whose letters are to be written. One goroutine at a time
// takes them, so that the letters of a key keep its order.
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

// add has a batch taken after those that were added before.
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

// next returns all that wait; the caller ends if there are none.
func (r *refusedResults) next() []refusedBatch {
	r.mu.Lock()
	defer r.mu.Unlock()
	batches := r.waiting
	r.waiting, r.busy = nil, len(batches) > 0
	return batches
}

func (m *member) refuseAll(origins []batch.Origin, err error) {
	for _, o := range origins {
		m.refused(o, err)
	}
}

// tries changes as long as records wait to be written.
func (w *writers) tries() uint64 {
	n := w.results.Tries()
	if w.letters != w.results {
		n += w.letters.Tries()
	}
	return n
}

// flush returns when what was appended before is acknowledged or failed. Letters of
// results that fail in this time may be left.
func (w *writers) flush(ctx context.Context) error {
	err := w.results.Flush(ctx)
	if w.letters != w.results {
		err = errors.Join(err, w.letters.Flush(ctx))
	}
	return err
}

// close drops what is not acknowledged.
func (w *writers) close() {
	w.results.Close()
	if w.letters != w.results {
		w.letters.Close()
	}
	w.refused.taking.Wait()
}
