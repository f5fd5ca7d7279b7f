package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// leads makes the lease of an operator in namespace home, as leader election does.
func (c *testCluster) leads(home, scope string, renewed time.Time) *coordinationv1.Lease {
	c.Helper()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: LeaseName, Namespace: home, Labels: map[string]string{ScopeLabel: scope}},
		Spec:       coordinationv1.LeaseSpec{RenewTime: &metav1.MicroTime{Time: renewed}},
	}
	c.create(lease)
	return lease
}

// claimed makes a StreamProcessor of which another namespace's operator takes care.
func (c *testCluster) claimed(name, home string) {
	c.Helper()
	sp := c.processor(name)
	sp.Status.Operator = home
	if err := c.client.Status().Update(c.Context(), sp); err != nil {
		c.Fatal(err)
	}
}

func (c *testCluster) operatorOf(name, want string) {
	c.Helper()
	c.eventually(fmt.Sprintf("%s to be taken care of by %s", name, want), func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := c.client.Get(c.Context(), c.key(name), sp); err != nil {
			return err
		}
		if sp.Status.Operator != want {
			return fmt.Errorf("it is %q", sp.Status.Operator)
		}
		return nil
	})
}

// TestTwoOperators: an operator leaves another operator's StreamProcessors alone, says so,
// and is not ready. It takes care of those that have no operator.
func TestTwoOperators(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.stop()
	home := o.api.Namespace(t)
	o.leads(home, scopeAll, time.Now().Add(time.Hour))
	o.claimed("theirs", home)
	o.processor("ours", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Input.GroupID = new("other") })
	seen := len(o.api.Writes(t, o.user))
	o.home = o.api.Namespace(t)
	o.upgrade("worker:2")
	o.event("theirs", "OtherOperator")
	o.replicas("ours", 2)
	o.operatorOf("ours", o.home)
	if err := o.overlap(nil); err == nil || !strings.Contains(err.Error(), home) || !strings.Contains(err.Error(), "theirs") {
		t.Errorf("readiness says %v; want the other operator and the StreamProcessor", err)
	}
	// A user's change makes no difference.
	o.update("theirs", func(sp *v1alpha1.StreamProcessor) { sp.Spec.DeletionPolicy = v1alpha1.DeleteGroup })
	o.update("ours", wantsReplicas(3))
	o.replicas("ours", 3)
	for _, w := range o.api.Writes(t, o.user)[seen:] {
		if strings.HasPrefix(w.Name, "theirs") && w.Resource != "events" {
			t.Errorf("the second operator wrote %s %s %s", w.Verb, w.Resource, w.Name)
		}
	}
	var list corev1.ConfigMapList
	if err := o.client.List(t.Context(), &list, client.InNamespace(o.namespace)); err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		if strings.HasPrefix(c.Name, "theirs-") {
			t.Errorf("the second operator made %s", c.Name)
		}
	}
	// The user releases it.
	o.eventually("the field status.operator to go", func() error {
		sp := &v1alpha1.StreamProcessor{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Namespace: o.namespace}}
		return o.client.Status().Patch(t.Context(), sp, client.RawPatch("application/merge-patch+json", []byte(`{"status": {"operator": null}}`)))
	})
	o.update("theirs", wantsReplicas(3))
	o.operatorOf("theirs", o.home)
	o.replicas("theirs", 3)
	o.eventually("readiness", func() error { return o.overlap(nil) })
}

// TestOperatorsThatAreGone: the next operator takes over their StreamProcessors.
func TestOperatorsThatAreGone(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.stop()
	abandonedHome, elsewhere := o.api.Namespace(t), o.api.Namespace(t)
	o.leads(abandonedHome, scopeAll, time.Now().Add(-time.Hour))
	o.leads(elsewhere, Scope([]string{"shop", "team-a"}), time.Now().Add(time.Hour))
	o.claimed("uninstalled", "nowhere")
	o.claimed("abandoned", abandonedHome)
	o.claimed("no-longer-watched", elsewhere)
	o.home = o.api.Namespace(t)
	o.upgrade("worker:2")
	for _, name := range []string{"uninstalled", "abandoned", "no-longer-watched"} {
		o.operatorOf(name, o.home)
	}
	if err := o.overlap(nil); err != nil {
		t.Error(err)
	}
}

// TestAnOperatorKeepsItsOwn: an operator that starts again keeps its StreamProcessors
// without another write.
func TestAnOperatorKeepsItsOwn(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.home = o.api.Namespace(t)
	o.upgrade("worker:1")
	o.processor("enrich")
	o.operatorOf("enrich", o.home)
	o.runs("enrich", 2)
	o.upgrade("worker:1")
	o.update("enrich", wantsReplicas(3))
	o.runs("enrich", 3)
	if err := o.overlap(nil); err != nil {
		t.Error(err)
	}
}

func TestScope(t *testing.T) {
	for want, namespaces := range map[string][]string{
		"ALL": nil, "a.b-c": {"a", "b-c"}, "MANY": {strings.Repeat("a", 40), strings.Repeat("b", 40)},
	} {
		if got := Scope(namespaces); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
