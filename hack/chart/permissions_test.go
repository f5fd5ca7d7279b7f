package chart

import (
	"context"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestPermissions asks the server for the permissions of the installed operator.
func TestPermissions(t *testing.T) {
	api := controllerstest.Start(t)
	for _, name := range []string{namespace, "team-a", "team-b", "other"} {
		ensureNamespace(t, api, name)
	}
	// The order matters, because the permissions of one scenario stay.
	for _, test := range []struct {
		scenario  string
		elsewhere bool // whether the operator may act in a namespace that it is not told to watch
	}{{"namespaced", false}, {"default", true}} {
		t.Run(test.scenario, func(t *testing.T) {
			applyAll(t, api, only(rendered(t, test.scenario), rbacv1.GroupName))
			o := operator{T: t, api: api}
			o.may(true, "team-a", "apps/deployments", "create", "patch", "delete", "list", "watch")
			o.may(true, "team-b", "/secrets", "get", "list", "watch")
			o.may(true, "team-b", "/configmaps", "get", "list", "watch")
			o.may(true, "team-b", "/serviceaccounts/token", "create")
			o.may(true, "team-b", "millrace.dev/streamprocessors", "get", "list", "watch", "patch")
			o.may(true, "team-b", "millrace.dev/streamprocessors/status", "update")
			o.may(true, "team-b", "events.k8s.io/events", "create", "patch")
			o.may(true, namespace, "coordination.k8s.io/leases", "create")
			o.may(true, "", "authentication.k8s.io/tokenreviews", "create")
			o.may(test.elsewhere, "other", "/secrets", "get")
			o.may(test.elsewhere, "other", "apps/deployments", "create")
			o.may(test.elsewhere, "other", "/serviceaccounts/token", "create")
			o.may(false, "team-a", "/secrets", "create", "patch", "delete")
			o.may(false, "team-a", "/pods", "create", "delete")
			o.may(true, "team-a", "/configmaps", "create", "patch", "delete")
			o.may(true, "team-a", "apps/replicasets", "list", "watch")
			o.may(false, "team-a", "/configmaps", "update", "deletecollection")
			o.may(false, "team-a", "apps/replicasets", "create", "patch", "delete")
			o.may(false, "team-a", "millrace.dev/streamprocessors", "create", "delete")
			o.may(false, "team-a", "coordination.k8s.io/leases", "create", "update")
			o.may(false, "", "rbac.authorization.k8s.io/clusterroles", "get", "create")
		})
	}
}

func only(all []*unstructured.Unstructured, group string) []*unstructured.Unstructured {
	var some []*unstructured.Unstructured
	for _, object := range all {
		if object.GroupVersionKind().Group == group {
			some = append(some, object)
		}
	}
	return some
}

// operator is the account of the installed operator.
type operator struct {
	*testing.T
	api *controllerstest.API
}

// may reports whether the account may do something with a resource such as apps/deployments.
func (o operator) may(want bool, in, resource string, verbs ...string) {
	o.Helper()
	group, name, _ := strings.Cut(resource, "/")
	name, subresource, _ := strings.Cut(name, "/")
	for _, verb := range verbs {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + namespace + ":millrace-operator",
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: in, Group: group, Resource: name, Subresource: subresource, Verb: verb,
			},
		}}
		if err := o.api.Client.Create(context.Background(), review); err != nil {
			o.Fatal(err)
		}
		if review.Status.Allowed != want {
			o.Errorf("%s %s in %q: allowed is %t, want %t", verb, resource, in, review.Status.Allowed, want)
		}
	}
}
