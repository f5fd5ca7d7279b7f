package drive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/hack/chaos/proxy"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/worker/config"
)

// stage is all that runs during an episode: the StreamProcessor under examination, and
// Millrace's second one.
type stage struct {
	options Options
	episode episode
	cluster *cluster.Cluster
	proxies *proxy.Set
	journal *journal
	main    *processor
	side    *side // nil for loops of other clients
}

// newStage creates the topics of an episode and all that acts on them.
func newStage(ctx context.Context, o Options, e episode, c *cluster.Cluster, proxies *proxy.Set, j *journal) (*stage, error) {
	s := &stage{options: o, episode: e, cluster: c, proxies: proxies, journal: j}
	main, err := s.mainShape()
	if err != nil {
		return nil, err
	}
	if s.main, err = newProcessor(ctx, main, c, j); err != nil || o.Program != subject.Millrace {
		return s, err
	}
	second, err := newProcessor(ctx, s.sideShape(main), c, j)
	s.side = &side{second}
	return s, err
}

// mainShape returns the StreamProcessor under examination.
func (s *stage) mainShape() (shape, error) {
	user, password := s.cluster.User()
	file := filepath.Join(s.options.Dir, "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		return shape{}, err
	}
	shared := filepath.Join(s.options.Dir, fmt.Sprintf("shared-%d", s.episode.number+1))
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return shape{}, err
	}
	e := s.episode
	return shape{
		names: e.names, partitions: e.settings.Partitions, outputPartitions: e.settings.OutputPartitions,
		rate: s.options.Rate, seed: e.seed, draw: s.options.draw(),
		pods: fmt.Sprintf("e%d-w", e.number+1), dir: s.options.Dir,
		config: subject.Config{
			Program: s.options.Program, Brokers: s.proxies.Addrs(), User: user, PasswordFile: file,
			Input: e.names.Input, Output: e.names.Output, DeadLetter: e.names.DeadLetter, Group: e.names.Group,
			Ordering: e.settings.Ordering, Delivery: s.options.Delivery, SharedDir: shared,
			Concurrency: e.settings.Concurrency, Members: e.settings.Members, InFlight: e.settings.InFlight,
		},
	}, nil
}

// sideShape returns the second StreamProcessor. It has one worker, which no fault ends.
func (s *stage) sideShape(main shape) shape {
	second := main
	n := &second.names
	for _, name := range []*string{&n.Input, &n.Output, &n.DeadLetter, &n.Group} {
		*name = "side-" + *name
	}
	second.partitions, second.rate, second.draw = sidePartitions, sideRate, drawSide
	second.seed++
	second.pods = fmt.Sprintf("e%d-side", s.episode.number+1)
	c := &second.config
	c.Input, c.Output, c.DeadLetter, c.Group = n.Input, n.Output, n.DeadLetter, n.Group
	c.Ordering, c.Members, c.Concurrency = config.Key, 1, 2
	return second
}

// clean deletes the topics of the episode.
func (s *stage) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err := s.main.clean(ctx); err != nil || s.side == nil {
		return err
	}
	return s.side.clean(ctx)
}

// progress prints a line now and then.
func (s *stage) progress(ctx context.Context) {
	for wait(ctx, 10*time.Second) == nil {
		f := s.main.checker.Figures()
		wrong := ""
		for rule, broken := range s.main.checker.Violations() {
			wrong += fmt.Sprintf(", %d %s", broken.Count, rule)
		}
		s.journal.log("%d records, %d outputs, %d dead letters, %d duplicates, %d workers%s",
			f.Records, f.Outputs, f.DeadLetters, f.Duplicates, len(s.main.all.list()), wrong)
	}
}
