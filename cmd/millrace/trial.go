package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/cmd/millrace/validate"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// trial is a manifest whose expressions are tried on single records, without Kafka.
type trial struct {
	file      string // for messages
	text      []byte
	spec      *v1alpha1.StreamProcessorSpec
	cfg       config.Config
	processor *cel.Processor // nil if the processor is a container or a sidecar
}

// loadTrial reads a manifest, and returns an error with all mistakes in it.
func loadTrial(stdin io.Reader, name string) (*trial, error) {
	text, err := readInput(stdin, name)
	if err != nil {
		return nil, err
	}
	t := &trial{file: displayName(name), text: text}
	if err := mistakes(t.file, text); err != nil {
		return nil, err
	}
	sp, err := v1alpha1.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.file, err)
	}
	t.spec = &sp.Spec
	if t.cfg, err = resources.WorkerConfig(sp, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", t.file, err)
	}
	if t.cfg.Processor.CEL != nil {
		t.processor, err = cel.New(*t.cfg.Processor.CEL)
	}
	return t, err
}

// mistakes returns what millrace validate says of a file, nil if that is nothing.
func mistakes(file string, text []byte) error {
	objects, err := validate.File(text)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, o := range objects {
		lines.WriteString(listed(file, o.Findings))
	}
	if lines.Len() > 0 {
		return errors.New(strings.TrimSuffix(lines.String(), "\n"))
	}
	return nil
}

// evaluate runs the expressions on a record, and returns their results in the order in
// which the worker evaluates them.
func (t *trial) evaluate(ctx context.Context, rec worker.Record) (evaluations []cel.Evaluation, result workertest.Result) {
	watched := t.processor.Observed(func(e cel.Evaluation) { evaluations = append(evaluations, e) })
	result = workertest.Run(ctx, watched, rec)[0]
	return evaluations, result
}

// located returns an error of an expression with its place in the file.
func (t *trial) located(err error) string {
	return strings.TrimSuffix(listed(t.file, validate.Locate(t.text, err)), "\n")
}
