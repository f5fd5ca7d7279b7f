// Command millrace runs a StreamProcessor manifest on this machine: the same
// worker as in a pod, on an embedded broker or a real one, fed from a file if
// wanted.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// interruptedCode is the exit code that shells give to a program that ended by
// Ctrl-C.
const interruptedCode = 130

func main() {
	ctx, abort := signals()
	root := newRootCommand(abort)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "error: "+err.Error())
	if errors.Is(err, errInterrupted) {
		os.Exit(interruptedCode)
	}
	os.Exit(1)
}

// newRootCommand returns the command line. abort is closed when the user won't
// wait for a drain any longer.
func newRootCommand(abort <-chan struct{}) *cobra.Command {
	root := &cobra.Command{
		Use:   "millrace",
		Short: "Process Kafka topics with StreamProcessors",
		Long: "Process Kafka topics with StreamProcessors.\n\n" +
			"A StreamProcessor reads a topic, runs code on every record in parallel and\n" +
			"writes the results to another topic. This program runs one on your machine.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRunCommand(abort), newVersionCommand())
	return root
}
