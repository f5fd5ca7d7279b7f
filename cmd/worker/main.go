// Command worker is the program of the worker image. It runs the built-in processor
// that its configuration file configures.
//
// In the container of a program that does not speak the protocol for processors in other
// processes, it is the adapter: "worker install FILE" copies it into a volume, and "worker
// lines -- COMMAND" runs the program.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/cel"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

func main() {
	if code, ok := adapter(os.Args[1:]); ok {
		os.Exit(code)
	}
	worker.MainWith(builtIn)
}

// builtIn returns the processor of the configuration: expressions, or processes beside the
// worker.
func builtIn(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
	switch p := setup.Config.Processor; {
	case p.Sidecar != nil:
		return sidecar.New(ctx, setup)
	case p.CEL != nil:
		return cel.New(*p.CEL)
	default:
		return nil, errors.New("processor: the file configures no built-in processor: set processor.cel or processor.sidecar, " +
			"or run the image of your processor")
	}
}
