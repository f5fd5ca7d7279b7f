package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/cmd/millrace/cases"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

const evalLong = `Show what a manifest's expressions make of a record.

Each line of the standard input is the value of one record; --record describes one
with its other parts, as JSON:

  {"key": "a", "value": {"n": 1}, "headers": {"name": "value"},
   "timestamp": "2026-01-02T15:04:05Z", "partition": 3, "offset": 17}

Text and null are taken as they are; an object, a list, a number or a boolean
stands for its JSON. A record without a timestamp is of the present time.

For each record the command shows the results and their types in the order in
which a worker evaluates the expressions, and the record that the worker would
write; or the error of the expression that fails, with its place in the manifest.
The command ends with exit code 1 if a record fails.`

const evalExample = `  # Try the expressions on a value
  echo '{"id": "A-1", "total": 120}' | millrace eval -f config/samples/minimal.yaml

  # Try them on a record with a key
  millrace eval -f processor.yaml --record '{"key": "c-1", "value": null}'`

// evalOptions are the flags of `millrace eval`.
type evalOptions struct{ manifest, record string }

func newEvalCommand() *cobra.Command {
	var opts evalOptions
	cmd := &cobra.Command{
		Use:     "eval -f FILE",
		Short:   "Show what a manifest's expressions make of a record",
		Long:    evalLong,
		Example: evalExample,
		Args:    noManifestAsArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return opts.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&opts.manifest, "filename", "f", "", "The `file` with the StreamProcessor manifest, or - for the standard input")
	cmd.Flags().StringVar(&opts.record, "record", "", "A record as a JSON `object`, in place of the standard input")
	return cmd
}

func (o *evalOptions) run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	switch {
	case o.manifest == "":
		return errors.New("no manifest: name it with -f FILE")
	case o.manifest == "-" && o.record == "":
		return errors.New("-f -: the standard input can't be both the manifest and the records: write the record in --record")
	}
	t, err := loadTrial(stdin, o.manifest)
	if err != nil {
		return err
	}
	if t.processor == nil {
		return fmt.Errorf("%s: spec.processor.container: there are no expressions to evaluate: run the program with millrace run --exec", t.file)
	}
	e := evaluation{trial: t, out: stdout}
	if o.record == "" {
		return e.lines(ctx, stdin)
	}
	rec, err := cases.ParseRecord([]byte(o.record))
	if err != nil {
		return fmt.Errorf("--record: %w", err)
	}
	if rec.Timestamp.IsZero() {
		rec.Timestamp = presentTime()
	}
	if err := e.record(ctx, rec); err != nil {
		return err
	}
	return e.result()
}

// presentTime returns the time in milliseconds, as producers do.
func presentTime() time.Time { return time.Now().Truncate(time.Millisecond) }

// evaluation shows what becomes of records, and counts those that fail.
type evaluation struct {
	*trial
	out           io.Writer
	count, failed int
}

func (e *evaluation) lines(ctx context.Context, stdin io.Reader) error {
	lines := lineReader{content: bufio.NewReader(stdin), path: "the standard input"}
	for {
		value, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return e.result()
		}
		if err != nil {
			return err
		}
		rec := worker.Record{Value: value, Offset: int64(e.count), Timestamp: presentTime()}
		if err := e.record(ctx, rec); err != nil {
			return err
		}
	}
}

func (e *evaluation) record(ctx context.Context, rec worker.Record) error {
	e.count++
	if rec.Topic == "" {
		rec.Topic = e.cfg.Input.Topic
	}
	evaluations, result := e.evaluate(ctx, rec)
	var text strings.Builder
	fmt.Fprintf(&text, "record %d\n", e.count)
	for _, ev := range evaluations {
		fmt.Fprintf(&text, "  %s\t%s\t%s\n", strings.TrimPrefix(ev.Expression, "processor.cel."), ev.Type, ev.Result)
	}
	switch {
	case result.Err != nil:
		e.failed++
		fmt.Fprintf(&text, "  error: %s\n", e.located(result.Err))
	case result.Filtered():
		text.WriteString("  " + dropped(evaluations) + "\n")
	}
	for _, out := range result.Outputs {
		fmt.Fprintf(&text, "  => %s\n", cases.Describe(out, e.cfg.Output.Topic))
	}
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(table, text.String())
	return errors.Join(err, table.Flush())
}

// dropped says why a record has no result.
func dropped(evaluations []cel.Evaluation) string {
	if n := len(evaluations); n > 0 && evaluations[n-1].Expression == "processor.cel.values" {
		return "the list of values is empty, so the record has no result"
	}
	return "the filter drops the record"
}

func (e *evaluation) result() error {
	switch {
	case e.count == 0:
		return errors.New("no record: write values to the standard input, or one record in --record")
	case e.failed > 0:
		return fmt.Errorf("%d of %s failed", e.failed, counted(e.count, "record"))
	default:
		return nil
	}
}
