package plan

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/status"
)

// crashed returns the status of a container with so many restarts, the last so long ago.
func crashed(restarts int32, ago time.Duration) corev1.PodStatus {
	return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		RestartCount: restarts,
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 1, Message: "log\nerror: model not found\n", FinishedAt: metav1.NewTime(now.Add(-ago)),
		}},
	}}}
}

func waits(reason, message string) corev1.PodStatus {
	return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}}
}

var unschedulable = corev1.PodStatus{Conditions: []corev1.PodCondition{{
	Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/3 nodes are available",
}}}

func deploymentSays(c appsv1.DeploymentCondition) func(*Observed) {
	return func(o *Observed) { o.Deployment.Status.Conditions = append(o.Deployment.Status.Conditions, c) }
}

var overQuota = deploymentSays(appsv1.DeploymentCondition{
	Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate",
	Message: `pods "enrich-worker-x" is forbidden: exceeded quota: team, requested: cpu=100m`,
})

// counts sets the numbers of pods in the Deployment's status.
func counts(replicas, updated, ready int32) func(*Observed) {
	return func(o *Observed) {
		s := &o.Deployment.Status
		s.Replicas, s.UpdatedReplicas, s.ReadyReplicas = replicas, updated, ready
	}
}

func noPods(o *Observed) { o.Pods = nil }

// kstatus judges the conditions as Helm 4, Flux and kubectl's kstatus do.
func kstatus(s *v1alpha1.StreamProcessorStatus, generation int64) string {
	switch {
	case s.ObservedGeneration != generation, meta.IsStatusConditionTrue(s.Conditions, status.Reconciling):
		return "InProgress"
	case meta.IsStatusConditionTrue(s.Conditions, status.Stalled):
		return "Failed"
	case meta.IsStatusConditionTrue(s.Conditions, status.Ready):
		return "Current"
	}
	return "InProgress"
}

// look judges o at a time, and sets the status as the reconciler does.
func look(o *Observed, at time.Time) (seen string, message string, again time.Duration) {
	o.Now = at
	sp := o.Processor
	p := Make(*o)
	current, again := p.Conditions(*o)
	sp.Status.ObservedGeneration = sp.Generation
	if o.Deployment != nil {
		sp.Status.ReadyReplicas = o.Deployment.Status.ReadyReplicas
	}
	status.Set(&sp.Status.Conditions, sp.Generation, metav1.NewTime(at), current...)
	ready := meta.FindStatusCondition(sp.Status.Conditions, status.Ready)
	return kstatus(&sp.Status, sp.Generation) + " " + string(ready.Status) + "/" + ready.Reason, ready.Message, again
}

// TestWhatMayPassIsStalledAfterAGrace: a trouble that may pass is Stalled only after its
// grace, since Helm and Flux fail at once when they see Stalled.
func TestWhatMayPassIsStalledAfterAGrace(t *testing.T) {
	joining := counts(2, 2, 1)
	for name, c := range map[string]struct {
		o      Observed
		reason string
		grace  time.Duration
		says   string
	}{
		"the topic comes later":        {observed(missing(0), none), status.TopicNotFound, grace, "create it"},
		"the Secret comes later":       {observed(none, func(o *Observed) { o.Credentials.Missing = []string{"no Secret x"} }), status.CredentialsNotFound, grace, "no Secret x"},
		"the user comes later":         {observed(unknown, none, refusedByKafka), status.NotAuthorized, grace, "not authorised"},
		"the elder is being deleted":   {observed(conflict, runs(0)), status.GroupConflict, grace, "elder"},
		"another object has the name":  {observed(func(o *Observed) { o.Foreign = []string{"Service x"} }), status.NameConflict, grace, "Service x"},
		"the API server refuses":       {observed(func(o *Observed) { o.NotPermitted = "Service x: quota" }), status.Refused, grace, "quota"},
		"an image can't be pulled":     {observed(joining, pod("enrich-1", "present", waits("ErrImagePull", "i/o timeout"))), status.PodsFailing, grace, "i/o timeout"},
		"a pod crashes":                {observed(joining, pod("enrich-1", "present", crashed(2, time.Second))), status.PodsFailing, grace, "model not found"},
		"no node has room":             {observed(joining, pod("enrich-1", "present", unschedulable)), status.PodsUnschedulable, nodeGrace, "3 nodes"},
		"the quota has no room":        {observed(noPods, counts(0, 0, 0), overQuota), status.PodsRefused, grace, "exceeded quota: team"},
		"an init container can't pull": {observed(joining, pod("enrich-1", "present", corev1.PodStatus{InitContainerStatuses: waits("ErrImagePull", "no model").ContainerStatuses})), status.PodsFailing, grace, "no model"},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.o
			check := func(after time.Duration, want string, left time.Duration) {
				t.Helper()
				seen, message, again := look(&o, now.Add(after))
				if seen != want || !strings.Contains(message, c.says) || again != left {
					t.Errorf("after %v: %s: %s, again in %v; want %s, again in %v", after, seen, message, again, want, left)
				}
			}
			check(0, "InProgress False/"+c.reason, c.grace)
			check(c.grace-time.Second, "InProgress False/"+c.reason, time.Second)
			check(c.grace, "Failed False/"+c.reason, 0)
			// An operator that starts again knows only the status.
			check(c.grace+time.Second, "Failed False/"+c.reason, 0)
			// A change of the spec begins the grace again.
			o.Processor.Generation++
			check(c.grace+2*time.Second, "InProgress False/"+c.reason, c.grace)
		})
	}
}

// TestGraceIsOfOneReason: a trouble that replaces another one has its own grace.
func TestGraceIsOfOneReason(t *testing.T) {
	o := observed(none, func(o *Observed) { o.Credentials.Missing = []string{"no Secret x"} })
	look(&o, now)
	o.Credentials.Missing = nil
	missing(0)(&o)
	if seen, _, again := look(&o, now.Add(grace-time.Second)); seen != "InProgress False/TopicNotFound" || again != grace {
		t.Errorf("%s, again in %v", seen, again)
	}
}

// TestMistakesAreStalledAtOnce: waiting does not remove a mistake.
func TestMistakesAreStalledAtOnce(t *testing.T) {
	o := observed(none, func(o *Observed) { o.Processor.Spec.Delivery = "AtMostOnce" })
	if seen, _, _ := look(&o, now); seen != "Failed False/InvalidSpec" {
		t.Error(seen)
	}
	o = observed(counts(2, 2, 0), deploymentSays(appsv1.DeploymentCondition{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
	}))
	if seen, message, _ := look(&o, now); seen != "Failed False/PodsNotReady" || !strings.Contains(message, "logs") {
		t.Errorf("%s: %s", seen, message)
	}
}

// TestSlowStartIsNoMistake: a program may load a model for longer than the Deployment
// waits for progress.
func TestSlowStartIsNoMistake(t *testing.T) {
	gaveUp := deploymentSays(appsv1.DeploymentCondition{
		Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
	})
	for started, want := range map[bool]string{false: "InProgress False/PodsNotReady", true: "Failed False/PodsNotReady"} {
		o := observed(counts(2, 2, 1), gaveUp, pod("enrich-1", "present", corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "worker", Started: &started, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}}))
		if seen, message, _ := look(&o, now); seen != want {
			t.Errorf("started is %t: %s: %s", started, seen, message)
		}
	}
}

// TestOnlyPresentTroublesCount: troubles of a former configuration or of long ago don't
// count.
func TestOnlyPresentTroublesCount(t *testing.T) {
	for name, c := range map[string]struct {
		o    Observed
		want string
	}{
		"the image was corrected, and the former pod still fails": {
			observed(runs(1), wants(1), counts(2, 1, 0), pod("old", "former", waits("ImagePullBackOff", "no such image"))),
			"InProgress False/RolloutInProgress",
		},
		"a pod of somebody else fails": {
			observed(runs(1), wants(1), counts(1, 1, 0), pod("other", "somebody's", waits("ImagePullBackOff", "no such image"))),
			"InProgress False/PodsNotReady",
		},
		"restarted a month ago, and joins again": {
			observed(counts(2, 2, 1), pod("enrich-1", "present", crashed(2, 30*24*time.Hour))),
			"InProgress False/PodsNotReady",
		},
		"all are members, though one has just crashed again": {
			observed(pod("enrich-1", "present", crashed(5, time.Minute))), "Current True/Running",
		},
		"one waits between its restarts, however long": {
			observed(counts(2, 2, 1), pod("enrich-1", "present", func() corev1.PodStatus {
				s := crashed(9, time.Hour)
				s.ContainerStatuses[0].State = waits("CrashLoopBackOff", "").ContainerStatuses[0].State
				return s
			}())),
			"InProgress False/PodsFailing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if seen, message, _ := look(&c.o, now); seen != c.want {
				t.Errorf("%s: %s; want %s", seen, message, c.want)
			}
		})
	}
}

// TestReadyWhileItScales: Ready stays True while pods are added.
func TestReadyWhileItScales(t *testing.T) {
	o := observed()
	step := func(what, want string, changes ...func(*Observed)) {
		t.Helper()
		for _, change := range changes {
			change(&o)
		}
		if seen, message, _ := look(&o, now); seen != want {
			t.Errorf("%s: %s: %s; want %s", what, seen, message, want)
		}
	}
	unseen := func(o *Observed) { o.Deployment.Generation++ }
	seen := func(o *Observed) { o.Deployment.Status.ObservedGeneration = o.Deployment.Generation }
	template := func(o *Observed) { o.TemplateChanged = true }
	edited := func(o *Observed) { o.Processor.Generation++ }
	step("at first", "Current True/Running")
	step("three more are asked for", "InProgress True/Running", wants(5), edited, unseen)
	step("they are made", "InProgress True/Running", seen, counts(5, 5, 2))
	step("one can't be scheduled", "InProgress True/Running", pod("enrich-5", "present", unschedulable))
	step("two have joined", "InProgress True/Running", counts(5, 5, 4))
	step("one of them is gone again", "InProgress False/PodsUnschedulable", counts(5, 5, 3))
	step("and stays away", "InProgress False/PodsUnschedulable")
	step("all have joined", "Current True/Running", counts(5, 5, 5), pod("enrich-5", "present", corev1.PodStatus{}))
	step("autoscaled to six", "InProgress True/Running", wants(6), unseen)
	step("the sixth has joined", "Current True/Running", seen, counts(6, 6, 6))
	step("another image", "InProgress False/RolloutInProgress", edited, unseen, template)
	step("which the Deployment has yet to see", "InProgress False/RolloutInProgress", func(o *Observed) { o.TemplateChanged = false })
	step("and is rolled out", "InProgress False/RolloutInProgress", seen, counts(7, 1, 6))
}

// TestScalingEndsStalledWhenItCant: pods that can't be added are Stalled after the grace.
func TestScalingEndsStalledWhenItCant(t *testing.T) {
	o := observed()
	look(&o, now)
	wants(5)(&o)
	counts(2, 2, 2)(&o)
	overQuota(&o)
	if seen, _, again := look(&o, now); seen != "InProgress True/Running" || again != grace {
		t.Errorf("%s, again in %v", seen, again)
	}
	if seen, message, _ := look(&o, now.Add(grace)); seen != "Failed False/PodsRefused" || !strings.Contains(message, "quota") {
		t.Errorf("%s: %s", seen, message)
	}
}

// TestWhatIsNotKnownYetStays: the conditions stay while an operator that starts again or
// takes over has not heard from Kafka.
func TestWhatIsNotKnownYetStays(t *testing.T) {
	restarted := func(o *Observed) {
		o.Kafka = Kafka{Partitions: 6}
		if o.Scaling != nil {
			o.Scaling.Reason = "TooLittleKnown"
		}
	}
	for name, before := range map[string][]func(*Observed){
		"all is well":     nil,
		"down":            {down},
		"not authorised":  {refusedByKafka, counts(2, 2, 0)},
		"a missing topic": {missing(0), runs(0)},
		"capped":          {decided(6, v1alpha1.Auto), atCap, runs(6)},
		"offsets gone":    {suspend, runs(0), func(o *Observed) { o.Kafka.Gone = []int32{3} }},
	} {
		t.Run(name, func(t *testing.T) {
			o := observed(before...)
			look(&o, now)
			want := o.Processor.Status.DeepCopy()
			replicas := Make(o).Replicas.Count
			restarted(&o)
			if got := Make(o).Replicas.Count; got != replicas {
				t.Errorf("%d pods instead of %d", got, replicas)
			}
			look(&o, now.Add(time.Second))
			for _, c := range want.Conditions {
				got := meta.FindStatusCondition(o.Processor.Status.Conditions, c.Type)
				if got == nil || got.Status != c.Status || got.Reason != c.Reason || got.Message != c.Message || !got.LastTransitionTime.Equal(&c.LastTransitionTime) {
					t.Errorf("it was %+v, and is %+v", c, got)
				}
			}
		})
	}
	o := observed()
	look(&o, now)
	o.Processor.Generation++
	restarted(&o)
	look(&o, now)
	if c := meta.FindStatusCondition(o.Processor.Status.Conditions, status.KafkaReachable); c.Status != metav1.ConditionUnknown {
		t.Errorf("another cluster may be asked about, but it is %+v", c)
	}
}
