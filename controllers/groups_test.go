package controllers

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/controllers/status"
)

func inGroup(group string) func(*v1alpha1.StreamProcessor) {
	return func(sp *v1alpha1.StreamProcessor) { sp.Spec.Input.GroupID = new(group) }
}

func suspended(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = true }

// holds waits until the status records a group, "" for none.
func (c *testCluster) holds(name, group string) {
	c.Helper()
	c.eventually(fmt.Sprintf("%s to hold %q", name, group), func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := c.client.Get(c.Context(), c.key(name), sp); err != nil {
			return err
		}
		if held := sp.Status.Group; (held == nil) != (group == "") || held != nil && held.GroupID != group {
			return fmt.Errorf("it holds %+v", held)
		}
		return nil
	})
}

// TestTheHolderKeepsTheGroup: an older StreamProcessor that names a group does not stop
// the pods of its holder, suspended or not.
func TestTheHolderKeepsTheGroup(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("elder", inGroup("elders"), suspended)
	o.expect("elder", "Ready", yes, "Suspended")
	o.processor("victim", inGroup("production"))
	o.replicas("victim", 2)
	o.settle("victim")
	o.expect("victim", "Ready", yes, "Running")
	o.holds("victim", "production")
	o.update("elder", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Input.GroupID = new("production")
		sp.Spec.Kafka.BootstrapServers = []string{"other:9092", "KAFKA." + sp.Namespace + ".svc.cluster.local:9092"}
	})
	o.expect("elder", "Reconciling", yes, "GroupConflict", `"production"`, "victim", "groupId")
	o.update("elder", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = false })
	o.expect("elder", "Reconciling", yes, "GroupConflict")
	o.replicas("elder", 0)
	o.replicas("victim", 2)
	o.expect("victim", "Ready", yes, "Running")
	o.holds("elder", "")
}

// TestTheGroupIsLetGo: a suspended StreamProcessor releases its group when its last pod
// is gone, and so does a deleted one.
func TestTheGroupIsLetGo(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("first", inGroup("shared"))
	o.replicas("first", 2)
	o.settle("first")
	o.holds("first", "shared")
	o.processor("second", inGroup("shared"))
	o.expect("second", "Reconciling", yes, "GroupConflict", "first")
	o.update("first", suspended)
	o.replicas("second", 2)
	o.holds("second", "shared")
	o.holds("first", "")
	o.update("first", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = false })
	o.expect("first", "Reconciling", yes, "GroupConflict", "second")
	second := &v1alpha1.StreamProcessor{}
	if err := o.client.Get(t.Context(), o.key("second"), second); err != nil {
		t.Fatal(err)
	}
	o.delete(second)
	o.replicas("first", 2)
}

// TestTwoAtOnceDoNotBothTakeTheGroup: of two StreamProcessors that start at the same time,
// one gets the group, although no status records a holder yet.
func TestTwoAtOnceDoNotBothTakeTheGroup(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	const contenders = 8
	for i := range contenders {
		o.processor(fmt.Sprintf("sp-%d", i), inGroup("shared"))
	}
	o.eventually("one of them to run, and all others to stand back", func() error {
		running := 0
		for i := range contenders {
			d := &appsv1.Deployment{}
			if err := o.client.Get(o.Context(), o.key(fmt.Sprintf("sp-%d-worker", i)), d); err != nil {
				return err
			}
			if *d.Spec.Replicas > 0 {
				running++
			}
		}
		if running > 1 {
			t.Fatalf("%d run with the same group", running)
		}
		if running == 0 {
			return errors.New("none runs")
		}
		return nil
	})
}

// TestOtherNamespacesAreWarnedOnly: a StreamProcessor of another namespace with the same
// group gets a warning that names nobody.
func TestOtherNamespacesAreWarnedOnly(t *testing.T) {
	w := newWorld(t, 1)
	stranger := &v1alpha1.StreamProcessor{}
	stranger.Name, stranger.Namespace, stranger.UID = "ledger", "bank", "9"
	stranger.Spec = v1alpha1.StreamProcessorSpec{
		Kafka: v1alpha1.KafkaSpec{BootstrapServers: []string{"kafka.shop.svc.cluster.local:9092"}},
		Input: v1alpha1.InputSpec{Topic: "orders", GroupID: new("millrace-shop.enrich")},
	}
	w.must(w.Create(t.Context(), stranger))
	w.processor(nil)
	w.reconcile()
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	if c := meta.FindStatusCondition(sp.Status.Conditions, status.GroupShared); c != nil {
		t.Errorf("a stranger that never ran shows: %+v", c)
	}
	stranger.Status.Group = &v1alpha1.HeldGroup{GroupID: "millrace-shop.enrich", BootstrapServers: stranger.Spec.Kafka.BootstrapServers}
	w.must(w.Status().Update(t.Context(), stranger))
	w.reconcile()
	w.must(w.Get(t.Context(), worldKey, sp))
	c := meta.FindStatusCondition(sp.Status.Conditions, status.GroupShared)
	if c == nil || strings.Contains(c.Message, "ledger") || strings.Contains(c.Message, "bank") || !strings.Contains(c.Message, "groupId") {
		t.Errorf("the warning is %+v", c)
	}
	d := &appsv1.Deployment{}
	w.must(w.Get(t.Context(), types.NamespacedName{Namespace: "shop", Name: "enrich-worker"}, d))
	if *d.Spec.Replicas != 1 || sp.Status.Group == nil {
		t.Errorf("%d pods, the group is %+v", *d.Spec.Replicas, sp.Status.Group)
	}

	// The deletion does not name it either.
	sp.Spec.DeletionPolicy, sp.Finalizers = v1alpha1.DeleteGroup, []string{groupFinalizer}
	w.must(w.Update(t.Context(), sp))
	w.must(w.Delete(t.Context(), sp))
	w.reconcile() // stops the pods
	w.reconcile()
	said := w.said("GroupKept")
	if !strings.Contains(said, "another StreamProcessor uses it too") || strings.Contains(said, "bank") {
		t.Errorf("the event is %q", said)
	}
}

// said returns the recorded event with a reason, "" if there is none.
func (w *world) said(reason string) string {
	recorded := w.opts.Events.(*events.FakeRecorder).Events
	for {
		select {
		case e := <-recorded:
			if strings.Contains(e, reason) {
				return e
			}
		default:
			return ""
		}
	}
}

// TestPodsWithoutARecordHoldTheirGroup: an operator may have ended after it started the
// first pods and before it wrote the status.
func TestPodsWithoutARecordHoldTheirGroup(t *testing.T) {
	w := newWorld(t, 1)
	w.processor(nil)
	w.reconcile()
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Status.Group = nil
	w.must(w.Status().Update(t.Context(), sp))
	w.restart()
	other := sp.DeepCopy()
	other.Name, other.UID, other.ResourceVersion = "other", "2", ""
	other.Spec.Input.GroupID = new("millrace-shop.enrich")
	for _, test := range []struct {
		servers string
		used    bool
	}{{"kafka:9092", true}, {"elsewhere:9092", false}} {
		other.Spec.Kafka.BootstrapServers = []string{test.servers}
		s := &scope{sp: other, key: types.NamespacedName{Namespace: "shop", Name: "other"}}
		w.must(w.r.groups.observe(t.Context(), s))
		if (s.observed.GroupOwner == "enrich") != test.used {
			t.Errorf("%s: the owner is %q", test.servers, s.observed.GroupOwner)
		}
	}
}

// TestClaims: a claim holds in one namespace, and a StreamProcessor has one claim at a time.
func TestClaims(t *testing.T) {
	var c claims
	group := func(id string) v1alpha1.HeldGroup {
		return v1alpha1.HeldGroup{GroupID: id, BootstrapServers: []string{"kafka:9092"}}
	}
	key := func(namespace, name string) types.NamespacedName {
		return types.NamespacedName{Namespace: namespace, Name: name}
	}
	take := func(namespace, name, id, want string) {
		t.Helper()
		if got := c.claim(key(namespace, name), group(id), dial.Search{}); got != want {
			t.Errorf("%s/%s takes %s: it is %q's, want %q", namespace, name, id, got, want)
		}
	}
	take("shop", "a", "g", "")
	take("shop", "a", "g", "")
	take("shop", "b", "g", "a")
	take("bank", "b", "g", "")
	take("shop", "a", "h", "")
	take("shop", "b", "g", "")
	c.release(key("shop", "b"))
	take("shop", "c", "g", "")
}
