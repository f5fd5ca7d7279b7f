package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// scope carries the findings of one reconciliation from phase to phase.
type scope struct {
	key types.NamespacedName
	// sp is this reconciliation's own copy, with its defaults.
	sp *v1alpha1.StreamProcessor
	// live are the existing objects of ours, by kind and name.
	live map[string]client.Object
	// files are the contents of the files that Kafka's configuration names.
	files map[string][]byte

	observed plan.Observed
	plan     plan.Plan
	decided  bool // whether there is a plan
	facts    kafkawatch.Facts
	workers  podwatch.Facts

	// learned goes into the status; nil if autoscaling did not decide.
	learned *v1alpha1.AutoscalingStatus
	// news outlives the reconciliation if the status can't be written.
	news *news

	again time.Duration // 0 for no other look
}

// goneInterval is the time to the next look for something to be gone, where no event
// tells when it is.
const goneInterval = 2 * time.Second

// waitFor has the StreamProcessor reconciled again after d at the latest.
func (s *scope) waitFor(d time.Duration) {
	if s.again == 0 || d < s.again {
		s.again = d
	}
}

// result is the one place that makes the answer to the queue.
func (s *scope) result(err error) (ctrl.Result, error) {
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: s.again}, nil
}

// input returns the view of the input topic.
func (s *scope) input() inputTopic {
	return inputTopic{sp: s.sp, known: &s.observed.Kafka, facts: &s.facts, workers: &s.workers}
}

// runsPods reports whether the plan is to run pods with the spec's consumer group.
func (s *scope) runsPods() bool {
	return s.observed.GroupOwner == "" && s.plan.Replicas.Count > 0 && len(s.plan.Apply) > 0
}
