package controllers

import (
	"context"
	"fmt"
	"io"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// Release removes the finalizer from all StreamProcessors of the namespaces, or of the
// whole cluster if none is named, and lists on out the groups that stay. Without an
// operator nobody else removes the finalizers, and the StreamProcessors could not be
// deleted.
func Release(ctx context.Context, c client.Client, namespaces []string, out io.Writer) error {
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	for _, namespace := range namespaces {
		var list v1alpha1.StreamProcessorList
		if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("list StreamProcessors: %w", err)
		}
		for i := range list.Items {
			if err := releaseOne(ctx, c, &list.Items[i], out); err != nil {
				return err
			}
		}
	}
	return nil
}

func releaseOne(ctx context.Context, c client.Client, sp *v1alpha1.StreamProcessor, out io.Writer) error {
	before := sp.DeepCopy()
	if !controllerutil.RemoveFinalizer(sp, groupFinalizer) {
		return nil
	}
	key := client.ObjectKeyFromObject(sp)
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := c.Patch(ctx, sp, patch, client.FieldOwner(resources.Manager)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer from StreamProcessor %s: %w", key, err)
	}
	_, err := fmt.Fprintf(out, "StreamProcessor %s: consumer group %q stays, since no operator runs that deletes it; if nobody needs the group, delete it with kafka-consumer-groups.sh --delete --group %s\n",
		key, resources.GroupID(sp), resources.GroupID(sp))
	return err
}
