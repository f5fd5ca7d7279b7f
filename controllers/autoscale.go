package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/scaling"
)

// scaleInterval is the time after which autoscaling looks again by itself. Kafka's
// poller wakes nobody for offsets that do not change, and a decision to remove pods
// waits for time to pass.
const scaleInterval = 5 * time.Second

// autoscaler keeps the history of each StreamProcessor's load and decides by it.
type autoscaler struct {
	kafka KafkaWatch
	clock clock.PassiveClock

	kept kept[load]
}

// load is the history of one StreamProcessor's load.
type load struct {
	history scaling.History
	// source names the topic and group that the samples are from, newest is the time of
	// the newest sample.
	source string
	newest time.Time
	// restored: the status' part has been read.
	restored bool
	// changed is the time of the last change that autoscaling made.
	changed time.Time
}

func (a *autoscaler) forget(key types.NamespacedName) { a.kept.forget(key) }

// scale adds the pollers' answers to the history, measures the lag in seconds, and
// decides if the spec asks for autoscaling.
func (a *autoscaler) scale(_ context.Context, s *scope) error {
	load, now := a.kept.get(s.key), a.clock.Now()
	load.sampleFrom(target(s.sp, s.files))
	z := sizing{sp: s.sp, observed: &s.observed, workers: &s.workers, load: load, news: s.news}
	if s.sp.Spec.Autoscaling != nil {
		z.restore()
	}
	for _, seen := range a.kafka.History(s.key) {
		if seen.At.After(load.newest) {
			load.history.Append(z.sample(seen))
			load.newest = seen.At
		}
	}
	if in := s.observed.Kafka.Input; in != nil {
		in.LagSeconds = scaling.Measure(&load.history).LagSeconds
	}
	if spec := &s.sp.Spec; spec.Autoscaling != nil && !spec.Suspend && s.observed.GroupOwner == "" {
		decided := z.decide(now)
		s.learned = z.learned(now)
		if z.mayLower(decided) {
			s.waitFor(scaleInterval)
		}
	}
	return nil
}

// sampleFrom drops the samples of another topic or group: the difference to their
// offsets would count as records that arrived and were processed.
func (l *load) sampleFrom(t kafkawatch.Target) {
	source := fmt.Sprintf("%q %q %q", t.Topic, t.GroupID, t.Cluster.BootstrapServers)
	if l.source != "" && l.source != source {
		l.history = scaling.History{}
	}
	l.source = source
}
