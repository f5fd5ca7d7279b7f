package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers"
)

// newUninstallCommand returns the command that the chart runs before it removes the
// operator.
func newUninstallCommand() *cobra.Command {
	var deployment types.NamespacedName
	var namespaces []string
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the operator, and let StreamProcessors be deleted without it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Minute)
			defer cancel()
			cfg, err := ctrl.GetConfig()
			if err != nil {
				return fmt.Errorf("find the cluster: %w", err)
			}
			c, err := client.New(cfg, client.Options{Scheme: scheme()})
			if err != nil {
				return fmt.Errorf("connect to the cluster: %w", err)
			}
			return uninstall(ctx, c, deployment, namespaces, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&deployment.Name, "deployment", "", "name of the operator's Deployment (required)")
	cmd.Flags().StringVarP(&deployment.Namespace, "namespace", "n", "", "namespace of the operator's Deployment (required)")
	cmd.Flags().StringSliceVar(&namespaces, "namespaces", nil, "namespaces that the operator looks after (default: all)")
	_ = cmd.MarkFlagRequired("deployment") // it exists
	_ = cmd.MarkFlagRequired("namespace")  // it exists
	return cmd
}

// uninstall stops the operator before it removes the finalizers: a running operator would
// add them again.
func uninstall(ctx context.Context, c client.Client, deployment types.NamespacedName, namespaces []string, out io.Writer) error {
	if err := stopOperator(ctx, c, deployment); err != nil {
		return err
	}
	return controllers.Release(ctx, c, namespaces, out)
}

func stopOperator(ctx context.Context, c client.Client, key types.NamespacedName) error {
	d := &appsv1.Deployment{}
	err := c.Get(ctx, key, d)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		err = c.Patch(ctx, d, client.RawPatch(types.MergePatchType, []byte(`{"spec": {"replicas": 0}}`)))
	}
	if err != nil {
		return fmt.Errorf("stop the operator: %w", err)
	}
	pods, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil {
		return fmt.Errorf("stop the operator: %w", err)
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var left corev1.PodList
		if err := c.List(ctx, &left, client.InNamespace(key.Namespace), client.MatchingLabelsSelector{Selector: pods}); err != nil {
			return fmt.Errorf("stop the operator: %w", err)
		}
		if len(left.Items) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("stop the operator: pod %s does not end", left.Items[0].Name), ctx.Err())
		case <-tick.C:
		}
	}
}
