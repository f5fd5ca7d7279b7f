// Command worker is the program of the worker image: it runs the built-in
// processor that its configuration file names.
package main

import (
	"errors"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

func main() { worker.MainWith(builtIn) }

// builtIn makes the processor that cfg asks for.
func builtIn(cfg config.Config) (worker.Processor, error) {
	if cfg.Processor.CEL == nil {
		return nil, errors.New("processor: no built-in processor is named: set processor.cel, " +
			"or run the processor's own image")
	}
	return cel.New(*cfg.Processor.CEL)
}
