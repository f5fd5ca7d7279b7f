package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/drive"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/worker/config"
)

type flags struct {
	options drive.Options
	report  string // the files' path without .md and .json
	found   string
}

func parseFlags() (*flags, error) {
	f := &flags{options: drive.Options{Out: os.Stdout}}
	o := &f.options
	var delivery, program, orderings string
	flag.Uint64Var(&o.Seed, "seed", 0, "the `number` that the run follows from; 0 means a new one")
	flag.DurationVar(&o.Duration, "duration", 3*time.Minute, "how long faults happen")
	flag.StringVar(&delivery, "delivery", string(config.AtLeastOnce), "AtLeastOnce or ExactlyOnce")
	flag.StringVar(&program, "subject", string(subject.Millrace), "what to examine: millrace, kafka-go or franz-go")
	flag.StringVar(&orderings, "orderings", "Unordered,Key,Partition", "the orderings, one episode after the other")
	flag.IntVar(&o.Rate, "rate", 1000, "records a second")
	flag.IntVar(&o.Leniency, "leniency", 1, "how many times its bound a stall may take, on a machine that others share")
	flag.StringVar(&o.Dir, "dir", "", "the `directory` for data and logs; empty means a new one")
	flag.StringVar(&f.report, "report", "", "the `path` of the report, without .md and .json; empty means one in the directory")
	flag.StringVar(&f.found, "found", "", "a Markdown `file` about faults that runs found, for the report")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	o.Delivery, o.Program = config.Delivery(delivery), subject.Name(program)
	for _, ordering := range strings.Split(orderings, ",") {
		o.Orderings = append(o.Orderings, config.Ordering(ordering))
	}
	if o.Seed == 0 {
		o.Seed = 1 + rand.Uint64N(1<<32)
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f, f.prepare()
}

// validate refuses what no program can do.
func (f *flags) validate() error {
	o := &f.options
	switch {
	case o.Delivery != config.AtLeastOnce && o.Delivery != config.ExactlyOnce:
		return fmt.Errorf("-delivery %s: use AtLeastOnce or ExactlyOnce", o.Delivery)
	case o.Program == subject.KafkaGo && o.Delivery == config.ExactlyOnce:
		return fmt.Errorf("kafka-go has no transactions in a group: use -delivery AtLeastOnce")
	case o.Program == subject.FranzGo && o.Delivery == config.AtLeastOnce:
		return fmt.Errorf("the franz-go loop is a GroupTransactSession: use -delivery ExactlyOnce")
	case o.Program != subject.Millrace && o.Program != subject.KafkaGo && o.Program != subject.FranzGo:
		return fmt.Errorf("-subject %s: use millrace, kafka-go or franz-go", o.Program)
	}
	for _, ordering := range o.Orderings {
		if ordering != config.Unordered && ordering != config.Key && ordering != config.Partition {
			return fmt.Errorf("-orderings: %q: use Unordered, Key or Partition", ordering)
		}
	}
	return nil
}

// prepare finds or makes the files that the run needs.
func (f *flags) prepare() (err error) {
	o := &f.options
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp("", "millrace-chaos-")
	} else if o.Dir, err = filepath.Abs(o.Dir); err == nil {
		err = os.MkdirAll(o.Dir, 0o755)
	}
	if err != nil {
		return err
	}
	if f.report == "" {
		f.report = filepath.Join(o.Dir, "report")
	}
	const script = "hack/kafka.sh"
	if o.Script, err = filepath.Abs(script); err != nil {
		return err
	}
	if _, err := os.Stat(o.Script); err != nil {
		return fmt.Errorf("run this in the root of the repository: %w", err)
	}
	return nil
}

// command returns the command that repeats the run.
func (f *flags) command() string {
	o := &f.options
	orderings := make([]string, len(o.Orderings))
	for i, ordering := range o.Orderings {
		orderings[i] = string(ordering)
	}
	return fmt.Sprintf("go run ./hack/chaos -seed %d -duration %s -delivery %s -subject %s -orderings %s -rate %d",
		o.Seed, o.Duration, o.Delivery, o.Program, strings.Join(orderings, ","), o.Rate)
}
