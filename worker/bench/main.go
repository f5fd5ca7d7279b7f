// Command bench runs this worker and its peers side by side, with the same records, the
// same task and one broker, each program in a separate process. It prints a table.
//
//	go run ./worker/bench
//
// The broker is an Apache Kafka from hack/kafka.sh, or the embedded one on machines
// without Java. Broker and programs share the machine's processors. Rounds alternate
// between the programs, so that a disturbance affects all of them. Compare figures only
// within one run.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := compare
	if os.Getenv(jobVariable) != "" {
		run = runJob
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench: "+err.Error())
		stop()
		os.Exit(1)
	}
}
