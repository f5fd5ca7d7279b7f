package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// session is one `millrace run`, from the manifest to the summary.
type session struct {
	opts   runOptions
	abort  <-chan struct{} // closed when the user does not want to wait for the drain
	stdout io.Writer
	text   io.Writer // for people: stdout, or the screen if stdout gets records
	screen *screen

	manifest    manifest
	cfg         config.Config
	processor   worker.Processor // nil without expressions, or if a command replaces them
	clusters    clusters
	source      *cluster // the real cluster of a dry run, or nil
	feeder      *feeder  // nil without --input-file and --dry-run
	collectors  []*collector
	broken      chan error // gets the error of a collector that has ended early
	deadLetters map[int32]int64
	group       *groupWatch // nil on an embedded broker, which nobody shares
	workers     *workers
	observer    *observer

	withoutSchemas    string // why schemas of the manifest are left out, "" if they are not
	partitions        int    // of the input topic
	dir               string // holds the programs' configuration files
	started, finished time.Time
	last              snapshot     // the workers' last progress
	joiningSince      time.Time    // when the workers began to wait for their group; zero when they don't
	nothing           string       // why the run has read no records, "" if it has
	settled           atomic.Int64 // records, for the feeder
	named             topicList    // those that results have named on an embedded broker
	tidied            time.Time
	speed             speedometer
}

// run runs the whole session. drain ends when the user asks for a stop.
func (s *session) run(drain context.Context) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return err
	}
	defer s.close()
	// The collector and the look at the workers go on while the workers drain: their
	// context ends only with the session.
	ctx, cancel := context.WithCancel(context.WithoutCancel(drain))
	defer cancel()
	go s.endAtAbort(ctx, cancel)
	err := s.connect(drain)
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		if drain.Err() != nil {
			return errInterrupted
		}
		return err
	}
	supplying, endSupply := context.WithCancel(drain)
	supply := newSupply(s)
	go supply.run(supplying)
	drained, err := s.work(ctx, drain.Done(), supply)
	endSupply()
	stopErr := s.stop(ctx)
	s.dropGroup(ctx)
	if drained && s.last.totals.RecordsIn == 0 {
		s.nothing = s.whyNothing(supply.target)
	}
	switch {
	case errors.Is(stopErr, errInterrupted):
		return stopErr
	case err == nil && stopErr == nil && s.opts.untilDrained && !drained:
		err = fmt.Errorf("%w before the input topic was drained", errInterrupted)
	}
	err = errors.Join(err, stopErr)
	return errors.Join(err, s.report(ctx, err != nil))
}

// dropGroup deletes the consumer group that --from-beginning has made.
func (s *session) dropGroup(ctx context.Context) {
	if !s.opts.fromBeginning || s.group == nil {
		return
	}
	if err := s.group.delete(ctx); err != nil {
		s.screen.Say("The consumer group of this run stays until Kafka forgets it: %v", err)
	}
}

// endAtAbort cancels ctx when the user does not want to wait. It returns when ctx
// ends.
func (s *session) endAtAbort(ctx context.Context, cancel context.CancelFunc) {
	select {
	case <-s.abort:
		cancel()
	case <-ctx.Done():
	}
}

// start starts the collectors and the workers.
func (s *session) start(ctx context.Context) (err error) {
	if err := s.startCollectors(ctx); err != nil {
		return err
	}
	s.announce()
	if s.group != nil {
		go s.group.run(ctx)
	}
	return s.startWorkers(ctx)
}

// announce says which consumer group the run joins, and who else is in it.
func (s *session) announce() {
	s.screen.Say("%s joins the consumer group %s of topic %s on %s.", s.cfg.Name, s.cfg.Input.GroupID, s.cfg.Input.Topic, s.clusters.where())
	if s.withoutSchemas != "" {
		s.screen.Say("%s", s.withoutSchemas)
	}
	if others := s.group.otherMembers(nil); len(others) > 0 {
		s.screen.Say("The group has %s, and shares the partitions with this run.", describeMembers(others))
	}
}

// startCollectors starts to collect the records of the files that the user has named.
func (s *session) startCollectors(ctx context.Context) error {
	format := formatOf(s.opts.outputFormat)
	all := []collection{
		{"--output-file", "output topic", s.clusters.output, s.cfg.Output.Topic, s.opts.outputFile, format, false},
		{"--dead-letter-file", "dead-letter topic", s.clusters.input, s.cfg.Failure.DeadLetter.Topic, s.opts.deadLetterFile, format, true},
	}
	s.broken = make(chan error, len(all))
	for _, what := range all {
		if what.path == "" || what.topic == "" {
			continue
		}
		col, err := startCollector(ctx, what, s.stdout)
		if err != nil {
			return err
		}
		s.collectors = append(s.collectors, col)
		go func() {
			if <-col.done; col.err != nil {
				s.broken <- col.err
			}
		}()
	}
	return nil
}

func (s *session) startWorkers(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "millrace-run-"); err != nil {
		return err
	}
	s.started = time.Now()
	s.speed.since = s.started
	s.cfg.Telemetry.Listen = s.opts.statusAddress()
	if s.workers, err = s.startProcessors(); err != nil {
		return err
	}
	for _, url := range s.workers.statusURLs {
		s.screen.Say("The status is at %s.", url)
	}
	s.observer = newObserver(ctx, s.workers.statusURLs)
	return nil
}

// startProcessors starts the workers with what the flags or the manifest name.
func (s *session) startProcessors() (*workers, error) {
	switch {
	case s.opts.sidecar != "":
		return startSidecar(s.cfg, newSidecarRun(s.opts.sidecar, &s.manifest.processor.Spec, s.dir, s.screen), s.opts.replicas, s.logger())
	case s.processor != nil:
		return startMembers(s.cfg, s.opts.replicas, func(ctx context.Context, cfg config.Config) error {
			return worker.Run(ctx, cfg, s.processor, worker.WithLogger(s.logger()))
		})
	default:
		return startPrograms(s.opts.program, s.manifest.processor.Spec.Processor.Container.Args, s.cfg, s.opts.replicas, s.dir, s.screen)
	}
}

// logger returns a logger that writes the worker's lines above the progress line.
func (s *session) logger() logr.Logger {
	return worker.NewLogger(s.cfg.Telemetry.LogLevel, config.LogText, s.screen)
}

// close ends everything that the session has started and that still runs.
func (s *session) close() {
	s.screen.Clear()
	if s.workers != nil {
		s.workers.kill()
	}
	if s.feeder != nil {
		_ = s.feeder.records.Close() // a file that was only read loses nothing
	}
	s.group.close()
	s.clusters.Close()
	if s.source != nil {
		s.source.Close()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
