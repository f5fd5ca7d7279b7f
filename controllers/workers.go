package controllers

import (
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// PodWatch is the interface of a podwatch.Watcher. None of its methods block.
type PodWatch interface {
	Set(types.NamespacedName, []podwatch.Pod)
	Forget(types.NamespacedName)
	Facts(types.NamespacedName) podwatch.Facts
}

var _ PodWatch = (*podwatch.Watcher)(nil)

// allPodsTimeout is the time that an operator that has just started gives all pods to
// answer. After it, the answers it has count as complete.
const allPodsTimeout = 2 * time.Minute

// workerObserver takes the answers of the Deployment's running pods.
type workerObserver struct {
	watch PodWatch
	clock clock.PassiveClock

	kept kept[heard]
}

// heard records whether all pods have answered since this operator first looked.
type heard struct {
	since time.Time
	all   bool
}

// left returns the rest of the time that the pods have to answer; 0 if all have.
func (h *heard) left(now time.Time) time.Duration {
	if h.all {
		return 0
	}
	return max(0, h.since.Add(allPodsTimeout).Sub(now))
}

func (o *workerObserver) forget(key types.NamespacedName) {
	o.watch.Forget(key)
	o.kept.forget(key)
}

// observe gives the poller the addresses of the pods, and takes from their last answers
// the stuck partitions and Kafka's losses.
func (o *workerObserver) observe(s *scope) {
	var pods []podwatch.Pod
	for _, p := range asked(s) {
		address := net.JoinHostPort(p.Status.PodIP, strconv.Itoa(resources.MetricsPort))
		pods = append(pods, podwatch.Pod{Name: p.Name, Address: address})
	}
	o.watch.Set(s.key, pods)
	s.workers = o.watch.Facts(s.key)
	s.observed.Kafka.Waiting = s.workers.Waiting
	s.observed.Kafka.Stuck = o.stuck(s)
	o.expressions(s)
	o.failures(s)
	s.observed.Kafka.Losses = losses(s.sp.Status.Losses, s.workers.Losses, o.clock.Now())
}

// asked returns the Deployment's running pods, by name.
func asked(s *scope) []*corev1.Pod {
	var pods []*corev1.Pod
	for i := range s.observed.Pods {
		if p := &s.observed.Pods[i]; p.Status.PodIP != "" && p.DeletionTimestamp == nil && s.observed.Owns(p) {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// stuck returns the stuck partitions that the pods report. While an operator that has
// just started or taken over has not heard from all pods, it adds those that only the
// status has. A record whose offset is committed by now is not stuck.
func (o *workerObserver) stuck(s *scope) []v1alpha1.StuckPartition {
	now, heard := o.clock.Now(), o.kept.get(s.key)
	stuck := stuckPartitions(s.workers.Stuck)
	if heard.since.IsZero() {
		heard.since = now
	}
	left := heard.left(now)
	if heard.all = s.workers.Complete() || left == 0; heard.all {
		return stuck
	}
	before := slices.DeleteFunc(slices.Clone(s.sp.Status.StuckPartitions), func(p v1alpha1.StuckPartition) bool {
		known := s.facts.Partitions
		return p.Partition >= 0 && int(p.Partition) < len(known) && known[p.Partition].Committed > p.Offset
	})
	if len(before) > 0 {
		s.waitFor(left)
	}
	stuck = firstOfEach(append(stuck, before...), func(p v1alpha1.StuckPartition) int32 { return p.Partition })
	sortStuck(stuck)
	return stuck[:min(len(stuck), shown)]
}

// failures takes the pods' reports about the processes beside the workers.
func (o *workerObserver) failures(s *scope) {
	f := &s.observed.Failures
	for _, r := range s.workers.Failures {
		f.Pods = append(f.Pods, plan.PodFailures{Name: r.Pod, Times: r.Times, LastError: r.LastError})
	}
	heard := o.kept.get(s.key)
	f.Unheard = !heard.all
	if left := heard.left(o.clock.Now()); left > 0 && meta.IsStatusConditionTrue(s.sp.Status.Conditions, status.ProcessorFailing) {
		s.waitFor(left)
	}
}

// expressions takes the pods' reports about the expressions that they run. Only pods of the
// wanted configuration count: the others are being replaced.
func (o *workerObserver) expressions(s *scope) {
	e := &s.observed.Expressions
	if e.Wanted == "" || e.Live == nil {
		return
	}
	reports := map[string]podwatch.Expressions{}
	for _, r := range s.workers.Expressions {
		reports[r.Pod] = r
	}
	for _, p := range asked(s) {
		if p.Labels[resources.ConfigLabel] != e.Live.Labels[resources.ConfigLabel] {
			continue
		}
		if r, ok := reports[p.Name]; ok {
			e.Pods = append(e.Pods, plan.PodExpressions{Name: r.Pod, Version: r.Version, Refused: r.Refused, Error: r.Error})
		} else if left := o.kept.get(s.key).left(o.clock.Now()); left > 0 {
			e.Unheard++
			s.waitFor(left)
		}
	}
}
