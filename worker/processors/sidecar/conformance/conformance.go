// Package conformance checks a program against the protocol of worker/sdks/protocol. It
// plays the worker's side, well and badly, and looks at the program's answers. The program
// has to behave as the specification's test program, and may be written with any SDK.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Options say what to check.
type Options struct {
	// Command starts the program, in a shell. It is started for each check.
	Command string
	// Patience is how long a check waits for the program's next step, such as a
	// connection or a result.
	Patience time.Duration
	// Report gets the result of each check when it has ended.
	Report func(Result)
}

// Result is that of one check.
type Result struct {
	// Name names the check, and Does says in a few words what the program has to do.
	Name, Does string
	// Err is nil if the check has succeeded, and otherwise describes the program's fault.
	Err error
}

// check is one expectation of a program.
type check struct {
	name, does string
	run        func(*session)
}

// Run performs all checks, and returns how many of them there are and how many have failed.
// The error is that of the checks themselves, or of ctx.
func Run(ctx context.Context, opts Options) (checks, failed int, err error) {
	dir, err := os.MkdirTemp("", "millrace-conformance-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	all := all()
	for i, c := range all {
		s := &session{ctx: ctx, opts: opts, socket: filepath.Join(dir, fmt.Sprint(i))}
		err := s.perform(c)
		if ctx.Err() != nil {
			return len(all), failed, ctx.Err()
		}
		if err != nil {
			failed++
		}
		opts.Report(Result{Name: c.name, Does: c.does, Err: err})
	}
	return len(all), failed, nil
}

// all returns the checks, in the order of a connection's life.
func all() []check {
	var list []check
	for _, some := range [][]check{connecting, records, results, failures, credits, processes, endings, mistakes()} {
		list = append(list, some...)
	}
	return list
}

// perform starts the program and performs a check on it.
func (s *session) perform(c check) (err error) {
	defer s.close()
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failed:
			err = errors.New(v.reason + s.output.tail())
		default:
			panic(v)
		}
	}()
	c.run(s)
	return nil
}

// failed ends a check, by a panic that perform recovers.
type failed struct{ reason string }

// failf ends the check.
func (s *session) failf(format string, args ...any) { panic(failed{fmt.Sprintf(format, args...)}) }

// expect ends the check unless ok.
func (s *session) expect(ok bool, format string, args ...any) {
	if !ok {
		s.failf(format, args...)
	}
}
