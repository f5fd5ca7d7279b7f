// Command millrace runs a StreamProcessor manifest on this machine. It runs the same
// worker as a pod does, on an embedded broker or a real cluster, and can feed the
// input topic from a file. It also finds the mistakes in manifests, and tries their
// expressions on single records.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// interruptedCode is the exit code that shells give to a program that Ctrl-C has ended.
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

// newRootCommand returns the command line. abort is closed when the user does not want
// to wait for a drain any longer.
func newRootCommand(abort <-chan struct{}) *cobra.Command {
	root := &cobra.Command{
		Use:   "millrace",
		Short: "Process Kafka topics with StreamProcessors",
		Long: "Process Kafka topics with StreamProcessors.\n\n" +
			"A StreamProcessor reads a topic, runs code on every record in parallel and\n" +
			"writes the results to another topic. This program checks one, tries it on single\n" +
			"records and runs it on your machine.",
		Version:           version(),
		PersistentPreRunE: noEmptyFlag,
		SilenceUsage:      true,
		SilenceErrors:     true,
	}
	root.SetFlagErrorFunc(explainFlag)
	root.SetVersionTemplate(versionLine())
	root.AddCommand(newRunCommand(abort), newValidateCommand(), newEvalCommand(), newTestCommand(), newConformanceCommand(), newImageCommand(), newVersionCommand())
	return root
}
