package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// jobVariable names the environment variable with the job of a process that stands for the
// worker.
const jobVariable = "MILLRACE_BENCH_PROCESSORS_JOB"

// job is one subject's turn in one round.
type job struct {
	Subject  subject
	Settings settings
}

// stopTime is the time that a turn may take beside its measurement.
const stopTime = time.Minute

// compare builds the subjects, measures them in turn, and writes the report.
func compare(ctx context.Context, subjects []subject, s settings, report io.Writer) error {
	if err := build(ctx, subjects); err != nil {
		return err
	}
	before := load()
	results := map[string][]result{}
	for round := range s.Rounds {
		for _, subject := range subjects {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.Rounds, subject.Name)
			r, err := start(ctx, job{subject, s})
			if err != nil {
				return fmt.Errorf("%s: %w", subject.Name, err)
			}
			results[subject.Name] = append(results[subject.Name], r)
		}
	}
	return write(report, subjects, s, results, before)
}

// start runs a job in a separate process.
func start(ctx context.Context, j job) (r result, err error) {
	ctx, cancel := context.WithTimeout(ctx, j.Settings.WarmUp+j.Settings.Measured+stopTime)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	content, err := json.Marshal(j)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self)
	// It stops its program, and needs the time for that.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 2 * stopWait
	cmd.Env = append(os.Environ(), jobVariable+"="+string(content))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("read the result %q: %w", out, err)
	}
	return r, nil
}

// runJob runs the job of jobVariable and prints its result.
func runJob(ctx context.Context) error {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(jobVariable)), &j); err != nil {
		return fmt.Errorf("read %s: %w", jobVariable, err)
	}
	r, err := turn(ctx, j)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// turn starts the subject, measures it and stops it.
func turn(ctx context.Context, j job) (r result, err error) {
	t, err := startTarget(ctx, j.Subject)
	if err != nil {
		return r, err
	}
	r, err = drive(ctx, t, j)
	if stopped := t.stop(); err == nil {
		err = stopped
	}
	return r, err
}
