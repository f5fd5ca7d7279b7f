// Command bench runs this worker and its peers side by side: the same records,
// the same task, one broker, every program in a process of its own, and prints
// one table.
//
//	go run ./worker/bench
//
// The broker is an Apache Kafka started by hack/kafka.sh, or the embedded one
// where Java is missing. Broker and programs share the machine's processors,
// and rounds alternate between the programs, so that what disturbs one disturbs
// all: figures may be compared within one run only.
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
