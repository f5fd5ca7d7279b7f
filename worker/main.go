package worker

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// DefaultConfigPath is the path at which the operator mounts a worker's configuration.
const DefaultConfigPath = "/etc/millrace/worker.yaml"

// Main is the main function of a program built on this SDK. It reads the
// configuration file that --config names, runs p on it, and drains on SIGTERM and
// SIGINT.
//
// Main returns after the drain, so that deferred functions run. If the worker can't go on,
// it writes one line to standard error and ends the process with code 1, and with code 2 if
// the arguments, the configuration or the processor are wrong. A program whose deferred
// functions must run then too calls RunWith instead.
func Main(p Processor) {
	MainWith(func(context.Context, Setup) (Processor, error) { return p, nil })
}

// MainWith is Main for a processor that build makes from the worker's configuration, see
// RunWith.
func MainWith(build New) {
	path := flag.String("config", DefaultConfigPath, "path of the worker's configuration file")
	flag.Parse()
	if flag.NArg() > 0 {
		exit(2, fmt.Errorf("unexpected argument %q; the worker takes only --config", flag.Arg(0)))
	}
	cfg, unknown, err := config.Load(*path)
	if err != nil {
		exit(2, err)
	}
	log := telemetry.NewLoggerAt(cfg.Telemetry.LogLevel, cfg.Telemetry.LogFormat, os.Stderr).WithName(cfg.Name)
	for _, field := range unknown {
		log.Info("the configuration file has a field that this worker ignores: correct its name, or upgrade the worker if a newer operator wrote it",
			"file", *path, "field", field)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	err = RunWith(ctx, cfg, build, WithLogger(log))
	if failed, ok := errors.AsType[*setupError](err); ok {
		exit(2, fmt.Errorf("%s: %w", *path, failed))
	}
	if err != nil {
		exit(1, err)
	}
}

func exit(code int, err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(code)
}
