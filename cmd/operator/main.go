// Command operator runs the controllers in a cluster: it watches StreamProcessors
// and makes the cluster run them.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	root := newRootCommand()
	if err := root.ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		os.Exit(1)
	}
}

func newRootCommand() *cobra.Command {
	o := defaults()
	cmd := &cobra.Command{
		Use:           "operator",
		Short:         "Run StreamProcessors in a Kubernetes cluster",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return run(cmd.Context(), o)
		},
	}
	o.addTo(cmd.Flags())
	cmd.AddCommand(newCheckCommand(), newUninstallCommand())
	return cmd
}
