// Command processors runs the processors of all languages side by side, without a broker: it
// hands batches to them as the worker's engine does, and prints a table in Markdown.
//
//	make bench-processors
//
// Each turn runs in a separate process, which stands for the worker. Rounds alternate between
// the processors, so that a disturbance affects all of them. Compare figures only within one
// run.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := func(ctx context.Context) error {
		return compare(ctx, subjects, settings{Rounds: 5, WarmUp: 2 * time.Second, Measured: 3 * time.Second}, os.Stdout)
	}
	if os.Getenv(jobVariable) != "" {
		run = runJob
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench-processors: "+err.Error())
		stop()
		os.Exit(1)
	}
}
