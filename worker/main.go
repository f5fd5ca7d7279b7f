package worker

import (
	"context"
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
// SIGINT. It does not return. The process exits with code 0 after a drain, with code 1
// and one line on standard error if the worker can't go on, and with code 2 if its
// arguments or its configuration are wrong.
func Main(p Processor) {
	MainWith(func(config.Config) (Processor, error) { return p, nil })
}

// MainWith is Main for a processor that is built from the configuration.
func MainWith(build func(config.Config) (Processor, error)) {
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
	p, err := build(cfg)
	if err != nil {
		exit(2, fmt.Errorf("%s: %w", *path, err))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	if err := Run(ctx, cfg, p, WithLogger(log)); err != nil {
		exit(1, err)
	}
	os.Exit(0)
}

func exit(code int, err error) {
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(code)
}
