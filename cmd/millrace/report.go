package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// report completes the files and writes the summary. It prints no summary of a run
// that failed before it read a record.
func (s *session) report(ctx context.Context, failed bool) error {
	s.screen.Clear()
	var collectErr, saveErr, printErr error
	for _, col := range s.collectors {
		if col.failed() == nil {
			collectErr = errors.Join(collectErr, col.finish(ctx))
		}
	}
	figures := newSummary(s.last.totals, s.finished.Sub(s.started))
	if s.opts.summaryFile != "" {
		saveErr = s.save(&figures)
	}
	if !failed || figures.RecordsIn > 0 {
		printErr = s.print(ctx, &figures)
	}
	return errors.Join(collectErr, saveErr, printErr)
}

// print writes the summary for a person, with the first dead letters.
func (s *session) print(ctx context.Context, figures *summary) error {
	at := places{
		input:          s.cfg.Input.Topic,
		output:         s.cfg.Output.Topic,
		named:          s.named.sorted(),
		outputFile:     s.opts.outputFile,
		deadLetters:    s.cfg.Failure.DeadLetter.Topic,
		deadLetterFile: s.opts.deadLetterFile,
	}
	text := fmt.Sprintf("%s ran for %.1f s on %s:\n%s", s.cfg.Name, figures.Seconds, &s.clusters, figures.table(at))
	if s.nothing != "" {
		text += s.nothing + "\n"
	}
	var readErr error
	if want := int(min(figures.RecordsDeadLettered, shownDeadLetters)); want > 0 && at.deadLetters != "" {
		letters, err := s.clusters.input.deadLetters(ctx, at.deadLetters, s.deadLetters, want)
		if err != nil {
			readErr = fmt.Errorf("read the dead letters: %w", err)
		}
		text += listDeadLetters(at.deadLetters, letters)
	}
	_, err := io.WriteString(s.text, text)
	return errors.Join(readErr, err)
}

// save writes the figures into the file of --summary.
func (s *session) save(figures *summary) error {
	file, err := createOutput(s.opts.summaryFile, s.stdout)
	if err == nil {
		err = errors.Join(figures.write(file), file.Close())
	}
	if err != nil {
		return fmt.Errorf("--summary: %w", err)
	}
	return nil
}
