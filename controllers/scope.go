package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// scope is what one reconciliation works on; each phase adds to it.
type scope struct {
	key types.NamespacedName
	// sp is this reconciliation's own copy, with its defaults.
	sp     *v1alpha1.StreamProcessor
	memory *memory
	// live are the objects of ours that exist, by kind and name.
	live map[string]client.Object
	// files are the contents of the files that Kafka's configuration names.
	files map[string][]byte

	observed plan.Observed
	plan     plan.Plan
	decided  bool // whether there is a plan
	facts    kafkawatch.Facts
	workers  podwatch.Facts

	// learned is what autoscaling has learnt; nil where it did not decide.
	learned *v1alpha1.AutoscalingStatus

	again time.Duration // 0 for not
}

// gone is when to look again whether something has gone that nobody tells of.
const gone = 2 * time.Second

// waitFor has the StreamProcessor looked at again after d, at the latest.
func (s *scope) waitFor(d time.Duration) {
	if s.again == 0 || d < s.again {
		s.again = d
	}
}

// result is what the queue is told, in this one place.
func (s *scope) result(err error) (ctrl.Result, error) {
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: s.again}, nil
}

// phase is a step of a reconciliation. An error ends it, is written into the
// log, and has it tried again later.
type phase func(context.Context, *scope) error
