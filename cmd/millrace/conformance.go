package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/conformance"
)

const conformanceLong = `Check a program that processes records in another language.

The command starts the program for each check and plays the worker's side of the
protocol that worker/sdks/protocol specifies: batches of all kinds, credits,
failures, timeouts, drains, and mistakes that a worker does not make. The program
has to do what the specification's test program does with the values of records.

It prints one line for each check, and ends with exit code 1 if one has failed.`

const conformanceExample = `  millrace conformance --exec "python3 conformance.py"`

func newConformanceCommand() *cobra.Command {
	var opts conformance.Options
	cmd := &cobra.Command{
		Use:     "conformance --exec COMMAND",
		Short:   "Check a program that processes records in another language",
		Long:    conformanceLong,
		Example: conformanceExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.Command == "" {
				return errors.New("no program: name the command that starts it with --exec")
			}
			opts.Report = func(r conformance.Result) {
				if r.Err == nil {
					cmd.Printf("ok      %-24s %s\n", r.Name, r.Does)
					return
				}
				cmd.Printf("FAILED  %-24s %s: %v\n", r.Name, r.Does, r.Err)
			}
			checks, failed, err := conformance.Run(cmd.Context(), opts)
			if err == nil && failed > 0 {
				err = fmt.Errorf("%d of %d checks have failed", failed, checks)
			}
			if err == nil {
				cmd.Printf("All %d checks are ok.\n", checks)
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.Command, "exec", "", "The `command` that starts the program, in a shell")
	flags.DurationVar(&opts.Patience, "patience", 20*time.Second, "How long to wait for the program's next step")
	return cmd
}
