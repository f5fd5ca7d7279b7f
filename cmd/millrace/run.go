package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	k8svalidation "k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/worker/config"
)

// runOptions are the flags of `millrace run`.
type runOptions struct {
	manifest       string
	namespace      string
	group          string
	fromBeginning  bool
	brokers        []string
	inputFile      string
	inputFormat    string
	limit          int64
	outputFile     string
	outputFormat   string
	deadLetterFile string
	dryRun         bool
	summaryFile    string
	program        string
	sidecar        string
	replicas       int
	untilDrained   bool
	statusPort     uint16
	logLevel       string
}

const runLong = `Run a StreamProcessor manifest on this machine.

The command runs the same worker as a pod does. By default the worker uses an
embedded Kafka broker, which keeps its records in memory and ends with the
command. It has the manifest's topics, and creates those that results name. With
--brokers the worker uses a real cluster: it joins the manifest's consumer group
there and commits its offsets, next to any pods of the same StreamProcessor. The
name of that group holds the namespace, which is "default" if neither the
manifest nor --namespace names one; --group names another group, and
--from-beginning reads all of the topic in a new group that ends with the
command. If the manifest sends its results to another cluster, the command
starts a second embedded broker, or with --brokers uses the cluster that
output.kafka names.

With --dry-run the command only reads the real cluster: it copies the records
that the group has not processed to an embedded broker, runs there, and shows
the results. Keys, headers, timestamps and partitions stay, offsets begin at 0.

--input-file feeds the records of a file into the input topic, in one of these
formats:
  lines  each line, without its line end, is the value of a record
  json   each line is an object with the fields key, value, headers, timestamp
         and partition, all of them optional; keyBase64 and valueBase64 hold
         what is not text, and a value that is no string stands for its JSON
  csv    the first row names the columns; each further row becomes an object
         with these names, in JSON. The columns kafka.key, kafka.headers,
         kafka.timestamp and kafka.partition are parts of the record instead,
         and kafka.value is a whole value; a field without quotes and content
         is null
  kcat   each line is an object as kcat -J writes it

--output-file gets the records that arrive at the output topic, and
--dead-letter-file those that arrive at the dead-letter topic, in one of the same
formats. --input-file reads again what they get; as lines they keep the values
alone, and null becomes an empty line. json, csv and kcat have topic and offset
as well. Files with names that end in .gz or .zst are written compressed, and
compressed input is read whatever its name is. With - as its file, --input-file
reads the standard input, and the others write to the standard output; the text
for people then goes to the standard error. The command refuses to write a file
that it also reads, or that it writes under another name.

The command can't run a container. If the manifest's processor is one, --exec
names a program to run in its place. A shell starts it once for each replica,
with the container's args and --config FILE added, and SIGTERM asks it to drain.

--sidecar names a program in any language that takes the place of the
manifest's processor, whatever that is. It connects to the worker's socket,
whose path is in MILLRACE_SOCKET, with MILLRACE_PROCESSES processes, one for
each CPU; SDKs do that, and worker/sdks/protocol specifies the protocol. If the
manifest has sidecar.adapter, the program gets lines of JSON instead. A
program gets the sidecar's args, and those of its variables that have a value
and are not set here. It is started again when it ends.

The command reads certificates and credentials from files beside the manifest:
key KEY of Secret NAME from secrets/NAME/KEY, a key of a ConfigMap from
configmaps/NAME/KEY, and the token of a service account from tokens/kafka. The
embedded broker needs none.

Ctrl-C drains: the workers finish the records that they have read and commit
their offsets. A second Ctrl-C, at least half a second later, stops them at
once. When the command is killed, the programs of --exec and --sidecar end with
it on Linux.`

const runExample = `  # Try a manifest on a file
  millrace run -f config/samples/access-log-alerts.yaml \
    --input-file config/samples/data/access.jsonl.zst \
    --output-file alerts.jsonl --until-drained

  # Try it on records with keys, and look at the results
  echo '{"key": "a", "value": {"total": 120}}' |
    millrace run -f config/samples/minimal.yaml --input-file - --input-format json \
      --output-file - --output-format json --until-drained

  # See what would become of ten records in a real cluster, without a trace in it
  millrace run -f processor.yaml --brokers localhost:9092 --dry-run --limit 10

  # Process the records in a topic of a real cluster, with four workers in one group
  millrace run -f processor.yaml --brokers localhost:9092 --replicas 4 --until-drained

  # Run a program built on the Go SDK in place of the manifest's container
  millrace run -f config/samples/language/language.yaml --exec bin/language \
    --input-file config/samples/data/messages.jsonl.zst --until-drained

  # Run a program in Python in place of the manifest's processor
  millrace run -f config/samples/minimal.yaml --sidecar "python3 shout.py" \
    --input-file orders.jsonl --until-drained`

func newRunCommand(abort <-chan struct{}) *cobra.Command {
	var opts runOptions
	cmd := &cobra.Command{
		Use:     "run -f FILE",
		Short:   "Run a StreamProcessor manifest on this machine",
		Long:    runLong,
		Example: runExample,
		Args:    noManifestAsArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(cmd.Flags().Changed); err != nil {
				return err
			}
			opts.complete()
			s := &session{opts: opts, abort: abort, stdout: cmd.OutOrStdout(), screen: newScreen(cmd.ErrOrStderr())}
			return s.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.manifest, "filename", "f", "", "The `file` with the StreamProcessor manifest, or - for the standard input")
	flags.StringVarP(&opts.namespace, "namespace", "n", "", "The `namespace` of a manifest that names none; the default is \"default\"")
	flags.StringSliceVar(&opts.brokers, "brokers", nil, "Bootstrap servers (`host:port`,...) of a real Kafka cluster; the default is an embedded broker")
	flags.StringVar(&opts.group, "group", "", "The consumer `group` to join; the default is the manifest's")
	flags.BoolVar(&opts.fromBeginning, "from-beginning", false, "Read all of the input topic, in a new consumer group that ends with the run")
	flags.BoolVar(&opts.dryRun, "dry-run", false, "Read and process the records of --brokers, and write and commit nothing there")
	flags.StringVar(&opts.inputFile, "input-file", "", "A `file` to feed into the input topic, or - for the standard input")
	flags.StringVar(&opts.inputFormat, "input-format", formatLines, "The `format` of --input-file: "+strings.Join(formats, ", "))
	flags.Int64Var(&opts.limit, "limit", 0, "Stop after this `number` of records of --input-file or --dry-run; 0 is no limit")
	flags.StringVar(&opts.outputFile, "output-file", "", "A `file` for the records that arrive at the output topic, or - for the standard output; an existing file is overwritten")
	flags.StringVar(&opts.deadLetterFile, "dead-letter-file", "", "A `file` for the records that arrive at the dead-letter topic, like --output-file")
	flags.StringVar(&opts.outputFormat, "output-format", "", "The `format` of --output-file and --dead-letter-file: "+strings.Join(formats, ", "))
	flags.IntVar(&opts.replicas, "replicas", 1, "The number of workers to run in the consumer group")
	flags.BoolVar(&opts.untilDrained, "until-drained", false, "Stop when this run, or other members of its group, have settled all records that the input topic held at the start, and those of --input-file")
	flags.StringVar(&opts.summaryFile, "summary", "", "A `file` for the run's figures as a JSON object, or - for the standard output")
	flags.Uint16Var(&opts.statusPort, "status-port", 0, "The `port` of the worker's /status and /metrics; programs of --exec take the ports from this one on; the default is any free port")
	flags.StringVar(&opts.logLevel, "log-level", "", "How much the workers log: Info or Debug; the default is spec.logLevel")
	flags.StringVar(&opts.sidecar, "sidecar", "", "The `command` of a program in any language to run in place of the manifest's processor")
	flags.StringVar(&opts.program, "exec", "", "The `command` to run in place of the manifest's container")
	return cmd
}

func noManifestAsArgument(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q: name the manifest with -f FILE", args[0])
	}
	return nil
}

// check returns an error for flags that can't be meant. isSet reports whether the user has
// set a flag.
func (o *runOptions) check(isSet func(flag string) bool) error {
	switch {
	case o.manifest == "":
		return errors.New("no manifest: name it with -f FILE")
	case isSet("brokers") && (len(o.brokers) == 0 || slices.ContainsFunc(o.brokers, blank)):
		// The user would take an embedded broker for the cluster of a variable that is not set.
		return errors.New("--brokers is empty or holds an empty address: name brokers as host:port, or leave the flag out for an embedded broker")
	case o.program != "" && o.sidecar != "":
		return errors.New("--exec and --sidecar both replace the manifest's processor: leave one of them out")
	case o.replicas < 1:
		return errors.New("--replicas must be at least 1")
	case o.logLevel != "" && o.logLevel != string(config.LogInfo) && o.logLevel != string(config.LogDebug):
		return fmt.Errorf("--log-level is %q: it must be Info or Debug", o.logLevel)
	default:
		return errors.Join(o.checkRecords(), o.checkFormats(isSet("input-format")), o.checkSource(), o.checkNamespace())
	}
}

// checkFormats checks the flags about the files' formats. A format without a file would be
// ignored.
func (o *runOptions) checkFormats(withInput bool) error {
	switch {
	case !slices.Contains(formats, o.inputFormat):
		return fmt.Errorf("--input-format is %q: it must be one of %s", o.inputFormat, strings.Join(formats, ", "))
	case o.outputFormat != "" && !slices.Contains(formats, o.outputFormat):
		return fmt.Errorf("--output-format is %q: it must be one of %s", o.outputFormat, strings.Join(formats, ", "))
	case withInput && o.inputFile == "":
		return errors.New("--input-format needs --input-file: name the file, or - for the standard input")
	case o.outputFormat != "" && o.outputFile == "" && o.deadLetterFile == "" && !o.dryRun:
		return errors.New("--output-format needs --output-file or --dead-letter-file: name a file, or - for the standard output")
	default:
		return nil
	}
}

// checkNamespace checks that Kubernetes could have the namespace, since the group's name
// holds it.
func (o *runOptions) checkNamespace() error {
	if o.namespace != "" && len(k8svalidation.IsDNS1123Label(o.namespace)) > 0 {
		return fmt.Errorf("--namespace is %q: it must have at most 63 characters, lower-case letters, digits and '-' only, and neither begin nor end with '-'", o.namespace)
	}
	return nil
}

// checkRecords checks the flags about the number of records.
func (o *runOptions) checkRecords() error {
	switch {
	case o.limit < 0:
		return errors.New("--limit must not be negative")
	case o.limit > 0 && o.inputFile == "" && !o.dryRun:
		return errors.New("--limit needs --input-file or --dry-run: members of a consumer group read on")
	default:
		return nil
	}
}

// checkSource checks the flags about where the records come from.
func (o *runOptions) checkSource() error {
	switch {
	case o.fromBeginning && o.group != "":
		return errors.New("--from-beginning reads in a new consumer group: leave --group out")
	case o.dryRun && len(o.brokers) == 0:
		return errors.New("--dry-run needs --brokers: an embedded broker keeps nothing")
	case o.dryRun && o.inputFile != "":
		return errors.New("--dry-run reads the input topic: leave --input-file out, or leave --brokers out for an embedded broker")
	default:
		return nil
	}
}

// complete sets what follows from other flags.
func (o *runOptions) complete() {
	if o.limit > 0 {
		o.untilDrained = true
	}
	if o.dryRun && o.outputFile == "" {
		o.outputFile = standardStream
		o.outputFormat = cmp.Or(o.outputFormat, formatJSON)
	}
}

// statusAddress returns the address of the first worker's /status, "" for any.
func (o *runOptions) statusAddress() string {
	if o.statusPort == 0 {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(o.statusPort)))
}
