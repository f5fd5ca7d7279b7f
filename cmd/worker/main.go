// Command worker is the program of the worker image. It runs the built-in processor
// that its configuration file configures.
package main

import (
	"errors"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

func main() { worker.MainWith(builtIn) }

// builtIn returns the built-in processor of cfg.
func builtIn(cfg config.Config) (worker.Processor, error) {
	if cfg.Processor.CEL == nil {
		return nil, errors.New("processor: the file configures no built-in processor: set processor.cel, " +
			"or run the image of your processor")
	}
	return cel.New(*cfg.Processor.CEL)
}
