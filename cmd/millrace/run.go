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

The command runs the same worker as a pod does. By default the worker uses an
embedded Kafka broker, which keeps its records in memory and ends with the
command. With --brokers it uses a real cluster: it joins the manifest's consumer
group there and commits its offsets, next to any pods of the same
StreamProcessor. If the manifest sends its results to another cluster, the
command starts a second embedded broker, or with --brokers uses the cluster that
output.kafka names.

Each line of --input-file, without its line end, becomes the value of one
record of the input topic. The command decompresses files whose names end in .gz
or .zst. The value of each record that arrives at the output topic becomes one
line of --output-file; a null value becomes an empty line.

The command can't run a container. If the manifest's processor is one, --exec
names a program to run in its place. A shell starts it once for each replica,
with the container's args and --config FILE added, and SIGTERM asks it to drain.

The command reads certificates and credentials from files beside the manifest:
key KEY of Secret NAME from secrets/NAME/KEY, a key of a ConfigMap from
configmaps/NAME/KEY, and the token of a service account from tokens/kafka. The
embedded broker needs none.

Ctrl-C drains: the workers finish the records that they have read and commit
their offsets. A second Ctrl-C stops them at once.`

const runExample = `  # Try a manifest on a file
  millrace run -f config/samples/access-log-alerts.yaml \
    --input-file config/samples/data/access.jsonl.zst \
    --output-file alerts.jsonl --until-drained

  # Process the records in a topic of a real cluster, with four workers in one group
  millrace run -f processor.yaml --brokers localhost:9092 --replicas 4 --until-drained

  # Run a program built on the Go SDK in place of the manifest's container
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
	flags.StringSliceVar(&opts.brokers, "brokers", nil, "Bootstrap servers (`host:port`,...) of a real Kafka cluster; the default is an embedded broker")
	flags.StringVar(&opts.inputFile, "input-file", "", "A `file` to feed into the input topic, one record a line")
	flags.StringVar(&opts.outputFile, "output-file", "", "A `file` for the records that arrive at the output topic, one a line; an existing file is overwritten")
	flags.IntVar(&opts.replicas, "replicas", 1, "The number of workers to run in the consumer group")
	flags.BoolVar(&opts.untilDrained, "until-drained", false, "Stop when all records are settled that the input topic held at the start, and those of --input-file")
	flags.StringVar(&opts.summaryFile, "summary", "", "A `file` for the run's figures as a JSON object")
	flags.StringVar(&opts.logLevel, "log-level", "", "How much the workers log: Info or Debug; the default is spec.logLevel")
	flags.StringVar(&opts.program, "exec", "", "The `command` to run in place of the manifest's container")
	return cmd
}

func noManifestAsArgument(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: name the manifest with -f FILE", args[0])
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
		return fmt.Errorf("--log-level is %q: it must be Info or Debug", o.logLevel)
	default:
		return nil
	}
}
