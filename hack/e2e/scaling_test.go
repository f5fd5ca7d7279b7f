//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The sample that autoscaling stops and starts, and its topics.
const (
	reports    = "scale-to-zero"
	reportsIn  = "reports"
	reportsOut = "report-summaries"
)

// restsAtZero waits until autoscaling has removed the sample's pods, which have nothing to do.
func restsAtZero(s *suite, limit time.Duration) {
	s.Helper()
	s.await(reports+" without pods", limit, func() error {
		sp, err := s.processor(reports)
		if err != nil {
			return err
		}
		want := condition{kind: "Ready", status: metav1.ConditionTrue, reason: "ScaledToZero"}
		return want.check(sp.Status.Conditions)
	})
	s.awaitWorkers(reports, 0)
}

// scaleToZeroAndWake waits until autoscaling has removed the sample's idle pod, and then writes
// records that make it start one again.
func scaleToZeroAndWake(s *suite) {
	const patience = 7 * time.Minute
	restsAtZero(s, patience)
	s.expectDecision(1, 0)
	s.kafka.Produce(&kgo.Record{Topic: reportsIn, Value: []byte(`{"team":"south","lines":[]}`)})
	s.awaitSettled(reports, reportsIn)
	if n := len(s.kafka.ConsumeAll(reportsOut, kgo.ReadCommitted())); n != 2 {
		s.Errorf("got %d summaries of reports, want 2", n)
	}
	s.expectDecision(0, 1)
}

// expectDecision waits until the sample's status has that decision.
func (s *suite) expectDecision(from, to int32) {
	s.Helper()
	s.await(fmt.Sprintf("a decision from %d to %d pods", from, to), patience, func() error {
		sp, err := s.processor(reports)
		if err != nil {
			return err
		}
		decision := sp.Status.LastScaleDecision
		if decision == nil {
			return errors.New("there is none")
		}
		if decision.From != from || decision.To != to || decision.Cap != 1 || decision.Reason == "" {
			return fmt.Errorf("the decision is %+v", *decision)
		}
		return nil
	})
}
