package controllers

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// KafkaWatch is what a kafkawatch.Watcher offers. None of it blocks.
type KafkaWatch interface {
	Set(types.NamespacedName, kafkawatch.Target) error
	Forget(types.NamespacedName)
	Facts(types.NamespacedName) kafkawatch.Facts
	History(types.NamespacedName) []kafkawatch.Sample
	DeleteGroup(types.NamespacedName, kafkawatch.Target) kafkawatch.Deletion
}

var _ KafkaWatch = (*kafkawatch.Watcher)(nil)

// How long samples are kept: for autoscaling, and for the lag in seconds.
const (
	scalingHistory = 15 * time.Minute
	rateHistory    = 2 * time.Minute
)

// target is what Kafka is asked about for the scope's StreamProcessor.
func (s *scope) target() kafkawatch.Target {
	spec := &s.sp.Spec
	t := kafkawatch.Target{
		Cluster:   s.cluster(),
		Topic:     spec.Input.Topic,
		GroupID:   resources.GroupID(s.sp),
		Isolation: config.IsolationLevel(spec.Input.Isolation),
		History:   rateHistory,
	}
	if spec.Autoscaling != nil {
		t.History = scalingHistory
	}
	// The operator does not reach an output's cluster: the workers say what is
	// wrong with it.
	if o := spec.Output; o != nil && o.Topic != "" && o.Create == nil && o.Kafka == nil {
		t.Outputs = append(t.Outputs, o.Topic)
	}
	if dead := spec.Failure.DeadLetter; dead != nil && dead.Create == nil {
		t.Outputs = append(t.Outputs, dead.Topic)
	}
	return t
}

func (s *scope) cluster() kafkawatch.Cluster {
	cfg, tokens := resources.Kafka(s.sp)
	c := kafkawatch.Cluster{Namespace: s.sp.Namespace, Kafka: cfg, Files: s.files}
	for _, token := range tokens {
		if c.Tokens == nil {
			c.Tokens = map[string]kafkawatch.ServiceAccount{}
		}
		c.Tokens[token.String()] = kafkawatch.ServiceAccount{
			Namespace: s.sp.Namespace, Name: resources.ServiceAccountName(s.sp),
			Audience: token.Audience, ExpirationSeconds: token.ExpirationSeconds,
		}
	}
	return c
}

// observeKafka tells the poller what to ask and takes what it knows. Without the
// credentials nothing can be asked; what was seen before still counts.
func (r *Reconciler) observeKafka(s *scope) {
	k := &s.observed.Kafka
	s.lastPartitions()
	if len(s.observed.Credentials.Missing) > 0 || s.sp.DeletionTimestamp != nil {
		return
	}
	if err := r.Kafka.Set(s.key, s.target()); err != nil {
		k.Trouble = &plan.Trouble{Refused: true, Message: err.Error()}
		return
	}
	s.facts = r.Kafka.Facts(s.key)
	if err := s.facts.Err; err != nil {
		k.Trouble = &plan.Trouble{Refused: kafka.Refused(err), Message: err.Error()}
	}
	if !s.facts.At.IsZero() {
		s.takeFacts(r.Clock.Now())
	}
}

// takeFacts is about the last good answer.
func (s *scope) takeFacts(now time.Time) {
	k := &s.observed.Kafka
	for _, topic := range s.facts.Missing {
		k.Missing = append(k.Missing, fmt.Sprintf("%q", topic))
	}
	if len(k.Missing) > 0 {
		k.MissingFor = now.Sub(s.facts.MissingSince)
	}
	if len(s.facts.Partitions) > 0 {
		k.Partitions, k.Source = int32(len(s.facts.Partitions)), v1alpha1.PartitionsFromKafka
		k.Input = s.inputStatus()
		k.Unknown, k.Gone = s.facts.Unknown, s.offsetsGone()
	}
}

// deleteGroup asks for the deletion until it is done.
func (r *Reconciler) deleteGroup(ctx context.Context, s *scope) error {
	deletion := r.Kafka.DeleteGroup(s.key, s.target())
	if deletion.Done {
		return r.letGo(ctx, s)
	}
	if deletion.Err != nil {
		s.observed.Kafka.Trouble = &plan.Trouble{Refused: kafka.Refused(deletion.Err), Message: deletion.Err.Error()}
	}
	return nil
}
