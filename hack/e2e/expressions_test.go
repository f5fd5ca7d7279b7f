//go:build e2e

package e2e

import (
	"fmt"
	"time"
)

// otherExpressions changes the expressions of a StreamProcessor under load. The change has to
// reach all of its pods long before their kubelets would look at the ConfigMap by themselves,
// without another pod and without a rebalance.
func otherExpressions(s *suite) {
	const enough = 20 * time.Second
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	generation := s.generation(before[0].Name)
	former := s.expressions()
	started := time.Now()
	s.patch(checkouts, `{"spec": {"processor": {"cel": {"filter": "offset >= 0"}}}}`)
	s.await("the changed expressions in all pods", enough, func() error {
		sp, err := s.processor(checkouts)
		if err != nil {
			return err
		}
		if e := sp.Status.Expressions; e == nil || e.Version == former || int(e.Pods) != len(before) || e.UpdatedPods != e.Pods {
			return fmt.Errorf("the status has %+v, and %s was the former version", e, former)
		}
		return nil
	})
	line := fmt.Sprintf("changed expressions were in %d pods, and the status knew it, after %v", len(before), time.Since(started).Round(100*time.Millisecond))
	s.Log(line)
	s.keep("expressions.txt", line+"\n")
	s.awaitConditions(checkouts, ready()...)
	s.expectSamePods(before)
	if now := s.generation(before[0].Name); now != generation {
		s.Errorf("the group is in generation %d and was in %d, so there was a rebalance", now, generation)
	}
	changed := s.expressions()
	s.patch(checkouts, `{"spec": {"processor": {"cel": {"filter": null}}}}`)
	s.await("the former expressions in all pods", enough, func() error {
		sp, err := s.processor(checkouts)
		if err != nil {
			return err
		}
		if e := sp.Status.Expressions; e == nil || e.Version == changed || e.UpdatedPods != e.Pods {
			return fmt.Errorf("the status has %+v, and %s was the changed version", e, changed)
		}
		return nil
	})
}

// expressions returns the version of the expressions of checkouts.
func (s *suite) expressions() string {
	s.Helper()
	sp, err := s.processor(checkouts)
	if err != nil || sp.Status.Expressions == nil {
		s.Fatalf("the status has no expressions (%v)", err)
	}
	return sp.Status.Expressions.Version
}
