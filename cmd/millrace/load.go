package main

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

// checkFiles returns an error if the run would destroy one of its files, before any of
// them is opened. It finds out where the text for people goes.
func (s *session) checkFiles() error {
	f := &files{stdout: s.stdout}
	f.reads("-f", s.opts.manifest)
	f.reads("--input-file", s.opts.inputFile)
	f.writes("--output-file", s.opts.outputFile)
	f.writes("--dead-letter-file", s.opts.deadLetterFile)
	f.writes("--summary", s.opts.summaryFile)
	s.text = s.stdout
	if f.writesStdout() {
		s.text = s.screen
		if terminalOf(s.stdout) != nil {
			s.screen.terminal = nil // records would end up in a line that is drawn in place
		}
	} else {
		f.writesText()
	}
	return f.check()
}

// load reads the manifest and opens the input file, so that the user learns of
// mistakes in them before anything starts.
func (s *session) load() (err error) {
	if s.manifest, err = readManifest(s.opts.manifest); err != nil {
		return err
	}
	if err := s.manifest.setNamespace(s.opts.namespace); err != nil {
		return err
	}
	if s.opts.sidecar == "" {
		if err := s.manifest.checkProgram(s.opts.program); err != nil {
			return err
		}
	}
	if s.cfg, err = s.manifest.workerConfig(); err != nil {
		return err
	}
	if s.opts.sidecar != "" {
		s.cfg.Processor.CEL = nil
	}
	s.leaveOutSchemas()
	if len(s.opts.brokers) > 0 {
		if err := s.manifest.checkCredentials(); err != nil {
			return err
		}
	}
	s.chooseGroup()
	if s.opts.logLevel != "" {
		s.cfg.Telemetry.LogLevel = config.LogLevel(s.opts.logLevel)
	}
	if c := s.cfg.Processor.CEL; c != nil {
		if s.processor, err = cel.New(*c); err != nil {
			return fmt.Errorf("%s: spec.%w", s.opts.manifest, err)
		}
	}
	if s.opts.outputFile != "" && s.cfg.Output.Topic == "" && !s.opts.dryRun {
		return fmt.Errorf("--output-file: %s has no spec.output.topic to collect records from", s.opts.manifest)
	}
	if s.opts.deadLetterFile != "" && s.cfg.Failure.DeadLetter.Topic == "" {
		return fmt.Errorf("--dead-letter-file: %s has no spec.failure.deadLetter to collect records from", s.opts.manifest)
	}
	if s.opts.inputFile == "" {
		return nil
	}
	records, err := openRecords(s.opts.inputFile, s.opts.inputFormat)
	if err != nil {
		return fmt.Errorf("--input-file: %w", err)
	}
	s.feeder = &feeder{records: records, topic: s.cfg.Input.Topic, most: s.opts.limit}
	return nil
}

// chooseGroup sets the consumer group. With --from-beginning it is a new one.
func (s *session) chooseGroup() {
	if s.opts.group != "" {
		s.cfg.Input.GroupID = s.opts.group
	}
	if s.opts.fromBeginning {
		s.cfg.Input.GroupID += "-run-" + strings.ToLower(rand.Text()[:8])
		s.cfg.Input.StartOffset = config.Earliest
	}
}

// leaveOutSchemas leaves out the schemas that the run can't use, and notes what to say of it.
func (s *session) leaveOutSchemas() {
	input, output := &s.cfg.Input.Schema, &s.cfg.Output.Schema
	switch {
	case len(s.opts.brokers) == 0 && (*input != nil || *output != nil):
		s.withoutSchemas = "The manifest's schemas are left out, since the embedded broker has no registry: values are JSON, and nothing checks them."
		*input, *output = nil, nil
	case s.opts.dryRun && *output != nil:
		// It would register a definition, and show bytes that nobody can read.
		s.withoutSchemas = "spec.output.schema is left out, since a dry run registers nothing: results are JSON, and nothing checks them."
		*output = nil
	}
}
