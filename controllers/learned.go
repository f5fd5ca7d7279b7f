package controllers

import (
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/scaling"
)

// The status keeps what autoscaling has learnt: it is written together with other
// changes, and goes with the StreamProcessor.

// The values of UselessRaise.Resource.
const (
	resourcePods = "Pods"
	resourceCPU  = "CPU"
)

// learned returns the status' form of what scaling has learnt.
func learned(l scaling.Learned, changed time.Time) *v1alpha1.AutoscalingStatus {
	st := &v1alpha1.AutoscalingStatus{PauseSeconds: int32(l.Pause / time.Second)}
	if l.Capacity > 0 {
		st.PodRecordsPerSecond = new(int64(math.Ceil(l.Capacity)))
	}
	if !changed.IsZero() {
		st.LastChange = &metav1.Time{Time: changed}
	}
	if !l.Idle.Since.IsZero() {
		st.Idle = &v1alpha1.IdleStatus{Since: metav1.NewTime(l.Idle.Since), EndOffsets: l.Idle.Ends}
	}
	for _, e := range l.Enough {
		st.Enough = append(st.Enough, v1alpha1.EnoughPods{Pods: e.Pods, Since: metav1.NewTime(e.Since)})
	}
	for _, u := range l.Useless {
		resource := resourcePods
		if u.CPU {
			resource = resourceCPU
		}
		st.UselessRaises = append(st.UselessRaises, v1alpha1.UselessRaise{
			Resource: resource, From: u.From, To: u.To, Enough: u.Enough, Partitions: u.Partitions, At: metav1.NewTime(u.At),
		})
	}
	return st
}

// learnedFrom is the inverse of learned.
func learnedFrom(st *v1alpha1.AutoscalingStatus) scaling.Learned {
	l := scaling.Learned{Pause: time.Duration(st.PauseSeconds) * time.Second}
	if st.PodRecordsPerSecond != nil {
		l.Capacity = float64(*st.PodRecordsPerSecond)
	}
	if st.Idle != nil {
		l.Idle = scaling.IdleSince{Since: st.Idle.Since.Time, Ends: st.Idle.EndOffsets}
	}
	for _, e := range st.Enough {
		l.Enough = append(l.Enough, scaling.EnoughSince{Pods: e.Pods, Since: e.Since.Time})
	}
	for _, u := range st.UselessRaises {
		l.Useless = append(l.Useless, scaling.UselessRaise{
			CPU: u.Resource == resourceCPU, From: u.From, To: u.To, Enough: u.Enough, Partitions: u.Partitions, At: u.At.Time,
		})
	}
	return l
}
