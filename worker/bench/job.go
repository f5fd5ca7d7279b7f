package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// jobVariable names the environment variable with the job of a process that runs one
// program.
const jobVariable = "MILLRACE_BENCH_JOB"

// job is one program's run in one round.
type job struct {
	Program string   `json:"program"`
	Task    string   `json:"task"`
	Brokers []string `json:"brokers"`
	Input   string   `json:"input"`
	Output  string   `json:"output"`
	Group   string   `json:"group"`
	Records int      `json:"records"`
}

// result holds the time and memory of a run, from the first record's arrival until all
// results are acknowledged and committed.
type result struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"` // user and system, of the program alone
	PeakRSS    int64   `json:"peakRSS"`    // bytes, since the program began
}

// programs holds the programs to compare. Each processes all records of its job.
var programs = map[string]func(ctx context.Context, j job, t task, c *clock) error{
	"millrace Unordered":              millrace,
	"millrace Key":                    millrace,
	"millrace Partition":              millrace,
	"millrace Unordered exactly once": millrace,
	"millrace Key exactly once":       millrace,
	"millrace Partition exactly once": millrace,
	"kafka-go loop":                   kafkaGoLoop,
	"franz-go loop":                   franzGoLoop,
	"franz-go exactly once":           franzGoTransactions,
	"no Kafka":                        pureTask,
}

// exactlyOnce reports whether a program delivers exactly once.
func exactlyOnce(program string) bool { return strings.HasSuffix(program, " exactly once") }

// runJob runs the job of jobVariable and prints its result, in a process that runs one
// program.
func runJob(ctx context.Context) error {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(jobVariable)), &j); err != nil {
		return fmt.Errorf("read %s: %w", jobVariable, err)
	}
	t, err := taskOf(j.Task)
	if err != nil {
		return err
	}
	run, ok := programs[j.Program]
	if !ok {
		return fmt.Errorf("there is no program %q", j.Program)
	}
	c := &clock{}
	if err := run(ctx, j, t, c); err != nil {
		return fmt.Errorf("%s: %w", j.Program, err)
	}
	return json.NewEncoder(os.Stdout).Encode(c.result)
}
