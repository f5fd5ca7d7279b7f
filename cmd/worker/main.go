// Command worker is the program of the worker image. It runs the built-in processor
// that its configuration file configures.
package main

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/cel"
)

func main() { worker.MainWith(builtIn) }

// builtIn returns the built-in processor of the configuration.
func builtIn(_ context.Context, setup worker.Setup) (worker.Processor, error) {
	cfg := setup.Config
	if cfg.Processor.CEL == nil {
		return nil, errors.New("processor: the file configures no built-in processor: set processor.cel, " +
			"or run the image of your processor")
	}
	return cel.New(*cfg.Processor.CEL)
}
