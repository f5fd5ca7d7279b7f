// Package lines lets a program that knows nothing of Millrace process records: it gets each
// record as a line of JSON on its standard input, and answers each line with one line on its
// standard output. The package speaks the protocol of worker/sdks/protocol for it.
//
// A line in is an object with the fields topic, partition, offset, timestamp, key, headers
// and value. A line out is such an object for one result, a list of them for several, null
// for none, or an object with the field error for a failed attempt. The lines out have the
// order of the lines in. Anything else, a line too many among it, shows that nobody knows
// which line answers which record: the program is ended and started again, and the worker
// tries the records that it held in smaller batches.
package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Options say which program processes records.
type Options struct {
	// Socket is the path of the worker's socket.
	Socket string
	// Processes is how often the program runs at the same time, each with a connection.
	Processes int
	// Command is the program with its arguments.
	Command []string
	// Output gets what the program writes to its standard error, and what becomes of the
	// program, line by line.
	Output io.Writer
}

// Run runs the program until the worker closes the connections or ctx ends; a program has
// then answered what it held. It starts a program again that ends before. The error says why
// the program can't run at all.
func Run(ctx context.Context, opts Options) error {
	if len(opts.Command) == 0 {
		return errors.New("there is no program to run: name its command")
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	out := &output{w: opts.Output}
	useful := &flag{}
	errs := make([]error, opts.Processes)
	var running sync.WaitGroup
	for i := range opts.Processes {
		s := &slot{opts: opts, number: i + 1, out: out, useful: useful}
		running.Go(func() {
			errs[i] = s.run(ctx)
			end() // the worker has closed, or the others can't do better
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err // those of the others say the same
		}
	}
	return nil
}

// flag is set once. It is safe for concurrent use.
type flag struct {
	mu  sync.Mutex
	set bool // guarded by mu
}

func (f *flag) raise() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set = true
}

func (f *flag) raised() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set
}

// uselessError is the error of a program that can't run.
type uselessError struct{ reason error }

// Error implements error.
func (e *uselessError) Error() string {
	return fmt.Sprintf("the program can't run: %v", e.reason)
}

// Unwrap returns the reason.
func (e *uselessError) Unwrap() error { return e.reason }
