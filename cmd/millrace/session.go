package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

// session is one `millrace run`, from the manifest to the summary.
type session struct {
	opts   runOptions
	abort  <-chan struct{} // closed when the user does not want to wait for the drain
	stdout io.Writer
	screen *screen

	manifest    manifest
	cfg         config.Config
	processor   worker.Processor // nil if the manifest names an image
	clusters    clusters
	feeder      *feeder    // nil without --input-file
	collector   *collector // nil without --output-file
	deadLetters map[int32]int64
	workers     *workers
	observer    *observer

	partitions        int    // of the input topic
	dir               string // holds the programs' configuration files
	started, finished time.Time
	last              snapshot // the workers' last progress
	speed             speedometer
}

// run runs the whole session. drain ends when the user asks for a stop.
func (s *session) run(drain context.Context) error {
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
	switch {
	case errors.Is(stopErr, errInterrupted):
		return stopErr
	case err == nil && stopErr == nil && s.opts.untilDrained && !drained:
		err = fmt.Errorf("%w before the input topic was drained", errInterrupted)
	}
	err = errors.Join(err, stopErr)
	return errors.Join(err, s.report(ctx, err != nil))
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

// load reads the manifest and opens the input file, so that the user learns of
// mistakes in them before anything starts.
func (s *session) load() (err error) {
	if s.manifest, err = readManifest(s.opts.manifest); err != nil {
		return err
	}
	if err := s.manifest.checkProgram(s.opts.program); err != nil {
		return err
	}
	if s.cfg, err = s.manifest.workerConfig(); err != nil {
		return err
	}
	if len(s.opts.brokers) > 0 {
		if err := s.manifest.checkCredentials(); err != nil {
			return err
		}
	}
	if s.opts.logLevel != "" {
		s.cfg.Telemetry.LogLevel = config.LogLevel(s.opts.logLevel)
	}
	if c := s.cfg.Processor.CEL; c != nil {
		if s.processor, err = cel.New(*c); err != nil {
			return fmt.Errorf("%s: spec.%w", s.opts.manifest, err)
		}
	}
	if s.opts.outputFile != "" && s.cfg.Output.Topic == "" {
		return fmt.Errorf("--output-file: %s has no spec.output.topic to collect records from", s.opts.manifest)
	}
	if s.opts.inputFile == "" {
		return nil
	}
	lines, err := openLines(s.opts.inputFile)
	if err != nil {
		return fmt.Errorf("--input-file: %w", err)
	}
	s.feeder = &feeder{lines: lines, topic: s.cfg.Input.Topic}
	return nil
}

// connect connects to the clusters, prepares the topics and notes where they stand.
func (s *session) connect(ctx context.Context) (err error) {
	if s.clusters, err = openClusters(ctx, s.cfg, s.opts.brokers, s.logger()); err != nil {
		return err
	}
	s.clusters.configure(&s.cfg)
	if err = s.clusters.prepareTopics(ctx, s.cfg, s.feeder != nil); err != nil {
		return err
	}
	count, err := s.clusters.input.client.Partitions(ctx, s.cfg.Input.Topic)
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	s.partitions = int(count)
	s.deadLetters, err = s.clusters.input.deadLetterStarts(ctx, s.cfg.Failure.DeadLetter.Topic)
	return err
}

// start starts the collector and the workers.
func (s *session) start(ctx context.Context) (err error) {
	if s.opts.outputFile != "" {
		if s.collector, err = startCollector(ctx, s.clusters.output, s.cfg.Output.Topic, s.opts.outputFile); err != nil {
			return fmt.Errorf("--output-file: %w", err)
		}
	}
	return s.startWorkers(ctx)
}

func (s *session) startWorkers(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "millrace-run-"); err != nil {
		return err
	}
	s.started = time.Now()
	s.speed.since = s.started
	if s.processor != nil {
		s.workers, err = startMembers(s.cfg, s.processor, s.opts.replicas, s.logger())
	} else {
		s.workers, err = startPrograms(s.opts.program, s.manifest.processor.Spec.Processor.Container.Args, s.cfg, s.opts.replicas, s.dir, s.screen)
	}
	if err != nil {
		return err
	}
	s.observer = newObserver(ctx, s.workers.statusURLs)
	return nil
}

// logger returns a logger that writes the worker's lines above the progress line.
func (s *session) logger() logr.Logger {
	return worker.NewLogger(s.cfg.Telemetry.LogLevel, config.LogText, s.screen)
}

// report completes the files and writes the summary. It prints no summary of a run
// that failed before it read a record.
func (s *session) report(ctx context.Context, failed bool) error {
	s.screen.Clear()
	var collectErr, saveErr, printErr error
	if s.collector != nil && s.collector.failed() == nil {
		collectErr = s.collector.finish(ctx, s.clusters.output)
	}
	figures := newSummary(s.last.totals, s.finished.Sub(s.started))
	if s.opts.summaryFile != "" {
		saveErr = figures.save(s.opts.summaryFile)
	}
	if !failed || figures.RecordsIn > 0 {
		printErr = s.print(ctx, &figures)
	}
	return errors.Join(collectErr, saveErr, printErr)
}

// print writes the summary for a person, with the first dead letters.
func (s *session) print(ctx context.Context, figures *summary) error {
	at := places{
		input:       s.cfg.Input.Topic,
		output:      s.cfg.Output.Topic,
		outputFile:  s.opts.outputFile,
		deadLetters: s.cfg.Failure.DeadLetter.Topic,
	}
	text := fmt.Sprintf("%s ran for %.1f s on %s:\n%s", s.cfg.Name, figures.Seconds, &s.clusters, figures.table(at))
	var readErr error
	if want := int(min(figures.RecordsDeadLettered, shownDeadLetters)); want > 0 && at.deadLetters != "" {
		letters, err := s.clusters.input.deadLetters(ctx, at.deadLetters, s.deadLetters, want)
		if err != nil {
			readErr = fmt.Errorf("read the dead letters: %w", err)
		}
		text += listDeadLetters(at.deadLetters, letters)
	}
	_, err := io.WriteString(s.stdout, text)
	return errors.Join(readErr, err)
}

// close ends everything that the session has started and that still runs.
func (s *session) close() {
	s.screen.Clear()
	if s.workers != nil {
		s.workers.kill()
	}
	if s.feeder != nil {
		_ = s.feeder.lines.Close() // a file that was only read loses nothing
	}
	s.clusters.Close()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
