package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/cmd/millrace/cases"
	"github.com/millrace-dev/millrace/worker"
)

const testLong = `Run the cases that stand beside manifests, without Kafka.

The cases of NAME.yaml are in NAME.test.yaml:

  cases:
  - name: keeps large orders
    in:                                   # records of the input topic
    - {key: a, value: {id: A-1, total: 120}}
    - {value: no JSON}
    out:                                  # all records that must be written
    - {key: a, value: {id: A-1, total: 120}}
    deadLetters:                          # all records that must fail
    - {value: no JSON, error: the value is not JSON}

A record of the input has key, value, headers, timestamp, partition, offset and
topic; a record that is written has key, value, headers, timestamp and topic. Text
and null are taken as they are; an object, a list, a number or a boolean stands for
its JSON. Of a record that is written or fails, only the parts that the case names
are compared, and error is a part of the error. With failure.onExhausted Drop or
Halt, the records that fail are in the lists dropped and halted.

The command runs the expressions as a worker does. It can't run containers: --sidecar
names a program in any language that takes the place of spec.processor.sidecar, as for
millrace run. Test a program on the Go SDK with the package worker/workertest, or run it
with millrace run --exec.

The command ends with exit code 1 if a case fails.`

const testExample = `  # Run the cases in processor.test.yaml
  millrace test -f processor.yaml

  # Run the cases of all manifests in a directory
  millrace test -f config/samples

  # Run the cases with a program in place of the manifest's image
  millrace test -f config/samples/order-totals.yaml --sidecar "jq -c --unbuffered"`

func newTestCommand() *cobra.Command {
	var names []string
	var sidecar string
	cmd := &cobra.Command{
		Use:     "test -f FILE...",
		Short:   "Run the cases that stand beside manifests, without Kafka",
		Long:    testLong,
		Example: testExample,
		Args:    noManifestAsArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			files, err := manifestFiles(names)
			if err != nil {
				return err
			}
			r := casesRun{out: cmd.OutOrStdout(), sidecar: sidecar, screen: newScreen(cmd.ErrOrStderr())}
			for _, name := range files {
				if err := r.manifest(cmd.Context(), manifestOf(name)); err != nil {
					return err
				}
			}
			return r.result()
		},
	}
	cmd.Flags().StringSliceVarP(&names, "filename", "f", nil, "The `file` with a manifest or its cases, or a directory with them; may be repeated")
	cmd.Flags().StringVar(&sidecar, "sidecar", "", "The `command` of a program in any language to run in place of spec.processor.sidecar, with its args")
	return cmd
}

// manifestOf returns the manifest for a file with cases, and other files as they are.
func manifestOf(name string) string {
	for _, suffix := range casesSuffixes {
		if stem, ok := strings.CutSuffix(name, suffix); ok {
			return stem + filepath.Ext(suffix)
		}
	}
	return name
}

// casesOf returns the file with the cases of a manifest.
func casesOf(name string) string {
	extension := filepath.Ext(name)
	stem := strings.TrimSuffix(name, extension)
	if extension == ".yml" {
		return stem + ".test.yml"
	}
	return stem + ".test.yaml"
}

// casesRun runs cases, shows their results as go test does, and counts those that fail.
type casesRun struct {
	out                      io.Writer
	sidecar                  string
	screen                   *screen
	passed, failed, unusable int
}

// manifest runs the cases of one manifest.
func (r *casesRun) manifest(ctx context.Context, name string) error {
	if name == "-" {
		return errors.New("-f -: the standard input has no cases beside it: name a file")
	}
	file := casesOf(name)
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r.print("?     %s  no cases: there is no file %s\n", name, filepath.Base(file))
	}
	if err != nil {
		return err
	}
	t, list, err := loadCases(name, file, text)
	var processor worker.Processor
	if err == nil {
		var end func()
		processor, end, err = r.processor(ctx, t)
		defer end()
	}
	if err != nil {
		r.unusable++
		return r.print("FAIL  %s\n%s", file, indented(strings.Split(err.Error(), "\n")))
	}
	failed := 0
	for i := range list {
		differences := list[i].Run(ctx, t.cfg, processor)
		if len(differences) == 0 {
			r.passed++
			continue
		}
		failed++
		if err := r.print("--- FAIL: %s (%s:%d)\n%s", list[i].Name, file, list[i].Line, indented(differences)); err != nil {
			return err
		}
	}
	r.failed += failed
	if failed > 0 {
		return r.print("FAIL  %s  %d of %s\n", file, failed, counted(len(list), "case"))
	}
	return r.print("ok    %s  %s\n", file, counted(len(list), "case"))
}

func loadCases(manifest, file string, text []byte) (*trial, []cases.Case, error) {
	list, err := cases.Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	t, err := loadTrial(nil, manifest)
	if err != nil {
		return nil, nil, err
	}
	return t, list, nil
}

// processor returns what processes the records of a manifest's cases; end ends it.
func (r *casesRun) processor(ctx context.Context, t *trial) (p worker.Processor, end func(), err error) {
	end = func() {}
	switch {
	case t.processor != nil:
		return t.processor, end, nil
	case t.spec.Processor.Container != nil:
		return nil, end, fmt.Errorf("%s: spec.processor.container: cases can't run a container: test the program with the package worker/workertest, or run it with millrace run --exec", t.file)
	case r.sidecar == "":
		return nil, end, fmt.Errorf("%s: spec.processor.sidecar: cases can't run an image: name the command of the program with --sidecar", t.file)
	}
	dir, err := os.MkdirTemp("", "millrace-")
	if err != nil {
		return nil, end, err
	}
	run := newSidecarRun(r.sidecar, t.spec, dir, r.screen)
	t.cfg.Processor.Sidecar.Socket = run.socket
	beside, err := run.open(ctx, worker.Setup{Config: t.cfg, Log: logr.Discard()})
	if err != nil {
		return nil, func() { _ = os.RemoveAll(dir) }, err
	}
	return worker.Batch(timed{beside, t.cfg.Failure.Timeout.Duration}), func() {
		_ = beside.Close() // the cases have ended
		_ = os.RemoveAll(dir)
	}, nil
}

// timed gives up an attempt after a time, as a worker does.
type timed struct {
	*sidecarProcessor
	timeout time.Duration
}

// ProcessBatch implements worker.BatchProcessor.
func (p timed) ProcessBatch(ctx context.Context, recs []*worker.Record, out []*worker.Outputs) error {
	bounded, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	err := p.sidecarProcessor.ProcessBatch(bounded, recs, out)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("the attempt overran its timeout of %s", p.timeout)
	}
	return err
}

func indented(lines []string) string {
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

func (r *casesRun) print(format string, args ...any) error {
	_, err := fmt.Fprintf(r.out, format, args...)
	return err
}

func (r *casesRun) result() error {
	switch {
	case r.failed > 0:
		return fmt.Errorf("%s failed", counted(r.failed, "case"))
	case r.unusable > 0:
		return fmt.Errorf("%s can't be run", counted(r.unusable, "file"))
	case r.passed == 0:
		return errors.New("there are no cases beside the manifests")
	default:
		return nil
	}
}
