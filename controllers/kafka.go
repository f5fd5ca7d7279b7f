package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// KafkaWatch is the interface of a kafkawatch.Watcher. None of its methods block.
type KafkaWatch interface {
	Set(types.NamespacedName, kafkawatch.Target) error
	Forget(types.NamespacedName)
	Facts(types.NamespacedName) kafkawatch.Facts
	History(types.NamespacedName) []kafkawatch.Sample
	DeleteGroup(types.NamespacedName, kafkawatch.Target) kafkawatch.Deletion
}

var _ KafkaWatch = (*kafkawatch.Watcher)(nil)

// The times for which samples are kept: for autoscaling, and for the lag in seconds.
const (
	scalingHistory = 15 * time.Minute
	rateHistory    = 2 * time.Minute
)

// kafkaObserver takes the poller's knowledge of the topics and the group.
type kafkaObserver struct {
	watch KafkaWatch
	clock clock.PassiveClock
}

func (o *kafkaObserver) forget(key types.NamespacedName) { o.watch.Forget(key) }

// observe tells the poller what to ask, and takes its answers. Without the credentials
// the poller can ask nothing; the answers in the status still count.
func (o *kafkaObserver) observe(s *scope) {
	k := &s.observed.Kafka
	s.input().takeFromStatus()
	if len(s.observed.Credentials.Missing) > 0 || s.sp.DeletionTimestamp != nil {
		return
	}
	if err := o.watch.Set(s.key, target(s.sp, s.files)); err != nil {
		k.Trouble = &plan.Trouble{Refused: true, Message: err.Error()}
		return
	}
	s.facts = o.watch.Facts(s.key)
	if err := s.facts.Err; err != nil {
		k.Trouble = &plan.Trouble{Refused: kafka.Refused(err), Message: err.Error()}
	}
	if !s.facts.At.IsZero() {
		s.input().takeFromKafka(o.clock.Now())
	}
}

// target returns the questions to ask for a StreamProcessor. files are the contents of
// the files that its configuration of Kafka names.
func target(sp *v1alpha1.StreamProcessor, files map[string][]byte) kafkawatch.Target {
	spec := &sp.Spec
	t := kafkawatch.Target{
		Cluster:   clusterOf(sp, files),
		Topic:     spec.Input.Topic,
		GroupID:   resources.GroupID(sp),
		Isolation: config.IsolationLevel(spec.Input.Isolation),
		History:   rateHistory,
	}
	if spec.Autoscaling != nil {
		t.History = scalingHistory
	}
	// The operator does not connect to an output's own cluster: the workers report its
	// troubles.
	if o := spec.Output; o != nil && o.Topic != "" && o.Create == nil && o.Kafka == nil {
		t.Outputs = append(t.Outputs, o.Topic)
	}
	if dead := spec.Failure.DeadLetter; dead != nil && dead.Create == nil {
		t.Outputs = append(t.Outputs, dead.Topic)
	}
	return t
}

func clusterOf(sp *v1alpha1.StreamProcessor, files map[string][]byte) kafkawatch.Cluster {
	cfg, tokens := resources.Kafka(sp)
	c := kafkawatch.Cluster{Namespace: sp.Namespace, Kafka: cfg, Files: files}
	for _, token := range tokens {
		if c.Tokens == nil {
			c.Tokens = map[string]kafkawatch.ServiceAccount{}
		}
		c.Tokens[token.String()] = kafkawatch.ServiceAccount{
			Namespace: sp.Namespace, Name: resources.ServiceAccountName(sp),
			Audience: token.Audience, ExpirationSeconds: token.ExpirationSeconds,
		}
	}
	return c
}
