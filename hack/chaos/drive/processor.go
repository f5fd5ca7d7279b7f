package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// names are the topics and the group of a StreamProcessor.
type names struct{ Input, Output, DeadLetter, Group string }

func (n names) topics() []string { return []string{n.Input, n.Output, n.DeadLetter} }

// shape is how a StreamProcessor is to be.
type shape struct {
	names                        names
	partitions, outputPartitions int32
	rate                         int
	seed                         uint64
	draw                         func(*rand.Rand) workload.Kind
	pods                         string // the beginning of their names
	config                       subject.Config
	dir                          string
}

// processor is a StreamProcessor with its input, its pods, and the checker of its output.
type processor struct {
	shape
	cluster   *cluster.Cluster
	journal   *journal
	checker   *check.Checker
	generator *generator
	output    *reader
	letters   *reader
	sampler   *sampler
	all       *pods

	writing     context.CancelFunc
	written     chan error
	stopSampler context.CancelFunc
}

// deadLetterPartitions is the number of partitions of a dead-letter topic.
const deadLetterPartitions = 2

// newProcessor creates the topics of a StreamProcessor and all that acts on them, and
// starts to read. It starts no pods.
func newProcessor(ctx context.Context, s shape, c *cluster.Cluster, j *journal) (*processor, error) {
	p := &processor{shape: s, cluster: c, journal: j, written: make(chan error, 1)}
	delivery := s.config.Delivery
	p.checker = check.New(check.Settings{
		Ordering: s.config.Ordering, Delivery: delivery, Input: s.names.Input, OutputPartitions: s.outputPartitions,
	})
	for topic, partitions := range map[string]int32{
		s.names.Input: s.partitions, s.names.Output: s.outputPartitions, s.names.DeadLetter: deadLetterPartitions,
	} {
		if err := c.CreateTopic(ctx, topic, partitions, topicConfigs); err != nil {
			return nil, err
		}
	}
	var err error
	if p.generator, err = newGenerator(c.Direct(), s, p.checker); err != nil {
		return nil, err
	}
	if p.output, err = startReader(c.Direct(), s.names.Output, delivery, p.checker.Output); err != nil {
		return nil, err
	}
	if p.letters, err = p.readLetters(); err != nil {
		return nil, err
	}
	p.sampler = &sampler{cluster: c, names: s.names, checker: p.checker, transactions: delivery == config.ExactlyOnce}
	p.all = newPods(s.pods, s.dir, s.config, j, p.checker)
	return p, nil
}

func (p *processor) readLetters() (*reader, error) {
	return startReader(p.cluster.Direct(), p.names.DeadLetter, p.config.Delivery, p.checker.Letter)
}

// start starts a number of pods, the input and the sampling.
func (p *processor) start(count int) error {
	for range count {
		if _, err := p.all.add(); err != nil {
			return err
		}
	}
	var writing, sampling context.Context
	writing, p.writing = context.WithCancel(context.Background())
	sampling, p.stopSampler = context.WithCancel(context.Background())
	go func() { p.written <- p.generator.run(writing) }()
	go p.sampler.run(sampling)
	return nil
}

// The times that the end of an episode may take.
const (
	quiesceTimeout = 90 * time.Second
	readTimeout    = 60 * time.Second
)

// finish stops the input, lets the workers finish, stops them, and reads all that they have
// written. A failure is a violation. beforeStop runs while the workers still do.
func (p *processor) finish(ctx context.Context, beforeStop func()) {
	ctx = context.WithoutCancel(ctx) // an interrupt ends the faults, and the result is complete
	limited := func(timeout time.Duration, do func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		if err := do(ctx); err != nil && !errors.Is(err, errJudged) {
			p.checker.Violate(check.Harness, time.Now(), "%v", err)
		}
	}
	p.writing()
	limited(quiesceTimeout, func(context.Context) error { return <-p.written })
	limited(quiesceTimeout, p.quiesce)
	if beforeStop != nil {
		beforeStop()
	}
	limited(config.KillTimeout(subject.DrainTimeout)+5*time.Second, func(ctx context.Context) error {
		p.all.stop(ctx)
		return nil
	})
	p.stopSampler()
	limited(readTimeout, func(ctx context.Context) error {
		partitions, err := p.cluster.Partitions(ctx, p.names.Output)
		if err != nil {
			return err
		}
		return errors.Join(p.output.finish(ctx, partitions), p.letters.finish(ctx, deadLetterPartitions))
	})
	p.output.close()
	p.letters.close()
	p.generator.client.Close()
}

// errJudged says that the failure is a violation already.
var errJudged = errors.New("the checker has judged it")

// quiesce waits until the group has committed the whole input.
func (p *processor) quiesce(ctx context.Context) error {
	ends := p.generator.ends()
	var last check.Sample
	err := await(ctx, "the group commits the end of its input", func() bool {
		last = p.sampler.latest()
		for n, end := range ends {
			if end > 0 && last.Commits[int32(n)].Offset != end {
				return false
			}
		}
		return true
	})
	if err == nil {
		return nil
	}
	for n, end := range ends {
		if commit := last.Commits[int32(n)]; commit.Offset != end {
			p.checker.Violate(check.Stuck, time.Now(), "%s/%d: offset %d is committed, the end is %d", p.names.Input, n, commit.Offset, end)
		}
	}
	p.saveStatus(ctx)
	return errJudged
}

// saveStatus keeps what the workers say about themselves.
func (p *processor) saveStatus(ctx context.Context) {
	client := &http.Client{Timeout: time.Second}
	for _, one := range p.all.list() {
		_, name := one.current()
		if err := save(ctx, client, one.statusURL(), filepath.Join(one.dir, name+".status.json")); err != nil {
			p.journal.log("the status of %s: %v", name, err)
		}
	}
}

// clean deletes the topics, so that the brokers have only those of the next episode to
// look after.
func (p *processor) clean(ctx context.Context) error {
	for _, topic := range p.names.topics() {
		if err := p.cluster.DeleteTopic(ctx, topic); err != nil {
			return fmt.Errorf("delete topic %s: %w", topic, err)
		}
	}
	return nil
}
