// Command language is a sample of a program built on the Go SDK: it adds to
// each customer's message the language it is written in.
//
// To make your own, copy this directory, replace processor.go, and put the
// image into the StreamProcessor's spec.processor.container.image. All else is the
// worker's: reading, parallelism, retries, dead letters, writing and commits.
package main

import (
	"fmt"
	"os"

	"github.com/millrace-dev/millrace/config/samples/language/langid"
	"github.com/millrace-dev/millrace/worker"
)

func main() {
	model, err := langid.Embedded()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
	worker.Main(worker.Batch(&detector{model: model}))
}
