// Command chaos examines Millrace's worker, or a loop of another client, under faults: it
// runs three brokers of Apache Kafka and several workers as processes, disturbs all of
// them by a schedule that follows from a seed, and reads everything back. It exits with
// code 1 if a record was lost, written twice without a cause, reordered or changed, or if
// the worker stood still for too long. An interrupt ends a run early, with a report of
// what it has seen.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/drive"
	"github.com/millrace-dev/millrace/hack/chaos/report"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
)

func main() {
	run := chaos
	// The driver starts itself again for each process that it examines.
	if len(os.Args) == 3 && os.Args[1] == "subject" {
		run = func() error { return subject.Run(os.Args[2]) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func chaos() error {
	f, err := parseFlags()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// A second signal ends the process at once, and the kernel its children.
	context.AfterFunc(ctx, stop)
	command := f.command()
	fmt.Printf("seed %d; the same faults come again with:\n  %s\n", f.options.Seed, command)
	begun := time.Now()
	results, runErr := drive.Run(ctx, f.options)
	r := report.New(f.options, command, begun, results, runErr)
	if err := f.write(r); err != nil {
		return errors.Join(runErr, err)
	}
	if err := r.Err(); err != nil {
		// The last lines are often all that is kept of a run.
		return fmt.Errorf("%w\nthe logs are in %s", err, f.options.Dir)
	}
	return nil
}

// write prints the report and writes it to files, beside the reports of other runs.
func (f *flags) write(r report.Run) error {
	fmt.Println(report.Markdown([]report.Run{r}, ""))
	runs, err := report.Read(f.report + ".json")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var found []byte
	if f.found != "" {
		if found, err = os.ReadFile(f.found); err != nil {
			return err
		}
	}
	if err := report.Write(report.Replace(runs, r), string(found), f.report+".md", f.report+".json"); err != nil {
		return err
	}
	fmt.Printf("the report is in %s.md and %s.json\n", f.report, f.report)
	return nil
}
