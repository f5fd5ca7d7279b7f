// Command language is a sample of a program built with the Go SDK: it adds its language to
// each customer's message.
//
// To make your own program, copy this directory, replace processor.go, and put the image
// into the StreamProcessor's spec.processor.container.image. The worker does the rest:
// reading, parallelism, retries, dead letters, writing and commits.
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
