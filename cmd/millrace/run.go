package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/worker/config"
)

// runOptions are the flags of `millrace run`.
type runOptions struct {
	manifest     string
	brokers      []string
	inputFile    string
	outputFile   string
	summaryFile  string
	program      string
	replicas     int
	untilDrained bool
	logLevel     string
}

const runLong = `Run a StreamProcessor manifest on this machine.

The worker is the one that runs in a pod. It works on an embedded Kafka broker,
which lives in memory as long as the command does, unless --brokers names a
real cluster. On a real cluster it joins the manifest's consumer group and
commits its offsets there, next to any pods of the same StreamProcessor. If the
manifest's results go to another cluster, that is a second embedded broker, or with
--brokers the one that output.kafka names.

Each line of --input-file, without its line end, becomes the value of one
record of the input topic; files that end in .gz or .zst are decompressed. The
value of each record that arrives at the output topic becomes one line of
--output-file; a null value becomes an empty line.

A processor that is a container can't be run here: --exec names the program to run
in its place. It is started by a shell with the container's args and --config FILE
added, once for each replica, and asked to drain by SIGTERM.

Certificates and credentials are read from files beside the manifest: key KEY
of Secret NAME from secrets/NAME/KEY, one of a ConfigMap from
configmaps/NAME/KEY, and the token of a service account from tokens/kafka. The
embedded broker needs none.

Ctrl-C drains: what has been read is finished and committed. A second Ctrl-C
stops at once.`

const runExample = `  # Try a manifest on a file
  millrace run -f config/samples/access-log-alerts.yaml \
    --input-file config/samples/data/access.jsonl.zst \
    --output-file alerts.jsonl --until-drained

  # Work off what is in a real cluster's topic, with four workers in one group
  millrace run -f processor.yaml --brokers localhost:9092 --replicas 4 --until-drained

  # Run a program built on the Go SDK in the place of the manifest's container
  millrace run -f config/samples/language/language.yaml --exec bin/language \
    --input-file config/samples/data/messages.jsonl.zst --until-drained`

func newRunCommand(abort <-chan struct{}) *cobra.Command {
	var opts runOptions
	cmd := &cobra.Command{
		Use:     "run -f FILE",
		Short:   "Run a StreamProcessor manifest on this machine",
		Long:    runLong,
		Example: runExample,
		Args:    noManifestAsArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return err
			}
			s := &session{opts: opts, abort: abort, stdout: cmd.OutOrStdout(), screen: newScreen(cmd.ErrOrStderr())}
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.manifest, "filename", "f", "", "The `file` with the StreamProcessor manifest, or - for the standard input")
	flags.StringSliceVar(&opts.brokers, "brokers", nil, "Bootstrap servers (`host:port`,...) of a real Kafka cluster; without it an embedded broker is used")
	flags.StringVar(&opts.inputFile, "input-file", "", "A `file` to feed into the input topic, a record a line")
	flags.StringVar(&opts.outputFile, "output-file", "", "A `file` for what arrives at the output topic, a record a line; it is overwritten")
	flags.IntVar(&opts.replicas, "replicas", 1, "How many workers to run in the consumer group")
	flags.BoolVar(&opts.untilDrained, "until-drained", false, "Stop when everything is settled that was in the input topic at the start, and the whole --input-file if there is one")
	flags.StringVar(&opts.summaryFile, "summary", "", "A `file` for the run's figures as a JSON object")
	flags.StringVar(&opts.logLevel, "log-level", "", "How much the workers log, Info or Debug; without it what spec.logLevel says")
	flags.StringVar(&opts.program, "exec", "", "The `command` to run in the place of the manifest's container")
	return cmd
}

func noManifestAsArgument(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is more than the command takes: name the manifest with -f FILE", args[0])
	}
	return nil
}

func (o *runOptions) check() error {
	switch {
	case o.manifest == "":
		return errors.New("no manifest: name it with -f FILE")
	case o.replicas < 1:
		return errors.New("--replicas must be at least 1")
	case o.logLevel != "" && o.logLevel != string(config.LogInfo) && o.logLevel != string(config.LogDebug):
		return fmt.Errorf("--log-level is %q: it has to be Info or Debug", o.logLevel)
	default:
		return nil
	}
}
