package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// newCheckCommand returns the command that `helm test` runs.
func newCheckCommand() *cobra.Command {
	var healthHost, healthPort, namespace string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check that StreamProcessors are served, and that the operator is ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
			defer cancel()
			if err := checkServed(ctx, cmd.OutOrStdout(), namespace); err != nil {
				return err
			}
			return checkReady(ctx, cmd.OutOrStdout(), net.JoinHostPort(healthHost, healthPort))
		},
	}
	cmd.Flags().StringVar(&healthHost, "health-host", "", "name or address of the operator's Service (required)")
	cmd.Flags().StringVar(&healthPort, "health-port", "8081", "port of the operator's --health-probe-bind-address")
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "namespace to list StreamProcessors in (default: all)")
	_ = cmd.MarkFlagRequired("health-host") // it exists
	return cmd
}

// checkInterval is the time between two questions of a check.
const checkInterval = 500 * time.Millisecond

// retry asks until ask returns nil or ctx ends, and returns the last error that is
// not ctx's. Just after an installation the API server may not serve the CRD to
// everybody yet, and the node's rules for the Service may lag behind the pod's
// readiness: a refusal proves nothing for a moment.
func retry(ctx context.Context, ask func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextCancel(ctx, checkInterval, true, func(ctx context.Context) (bool, error) {
		err := ask(ctx)
		if err != nil && (last == nil || ctx.Err() == nil) {
			last = err
		}
		return err == nil, nil
	})
	if err != nil {
		return last
	}
	return nil
}

func checkServed(ctx context.Context, out io.Writer, namespace string) error {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	var list v1alpha1.StreamProcessorList
	err = retry(ctx, func(ctx context.Context) error {
		c, err := client.New(cfg, client.Options{Scheme: scheme()})
		if err != nil {
			return fmt.Errorf("connect to the cluster: %w", err)
		}
		if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("list StreamProcessors: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "ok: the API server serves streamprocessors.%s (%d found)\n", v1alpha1.GroupVersion.Group, len(list.Items))
	return err
}

func checkReady(ctx context.Context, out io.Writer, address string) error {
	err := retry(ctx, func(ctx context.Context) error { return askReady(ctx, "http://"+address+"/readyz") })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "ok: the operator is ready")
	return err
}

func askReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("--health-host: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the operator: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the operator is not ready: %s answers %s", url, res.Status)
	}
	return nil
}
