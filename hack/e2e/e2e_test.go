//go:build e2e

package e2e

import "testing"

// TestEndToEnd is one scenario. Each step continues from the state after the previous one.
func TestEndToEnd(t *testing.T) {
	s := newSuite(t)
	broker := startBroker(t)
	s.kafka = &broker.Cluster
	// Registered after the broker, so that it runs while the broker still exists.
	t.Cleanup(s.leaveArtifacts)

	s.step("the tutorial", tutorial)
	s.step("install", install)
	s.step("metrics", metrics)
	s.step("samples", func(s *suite) { samples(s, broker) })
	s.step("a short broker name", shortBrokerName)
	s.step("Strimzi's Secrets", func(s *suite) { strimziSecrets(s, broker) })
	s.step("tokens for OAUTHBEARER", func(s *suite) { oauthBearer(s, broker) })
	s.step("an overlay of the pods", podOverlay)
	s.step("a quota of pods", quota)
	s.step("an idle operator", idle)
	gone := make(departure, 1)
	s.step("delete a namespace with its Kafka", func(s *suite) { deleteWithKafka(s, gone) })
	s.step("how fast a change arrives", changesArrive)
	s.step("more CPU in place", resize)

	stopWatch := s.watch("watch-sp.txt")
	s.step("topic missing", topicMissing)
	load := s.startLoad(checkoutsIn, 0, 200)
	s.step("scale beyond the partitions", scaleBeyondPartitions)
	s.step("grow the topic", growTopic)
	stopWatch()
	s.step("roll a new configuration out", rollOut)
	s.step("other expressions", otherExpressions)
	s.step("a refused ConfigMap", refuseConfigMap)
	s.step("a group that is held", groupConflict)
	s.step("a mistake in an expression", mistake)
	s.step("delete a pod", deletePod)
	s.step("suspend and resume", suspendAndResume)
	written := load.stop(s)
	s.step("none lost, none doubled", func(s *suite) {
		if doubled := s.expectNumbered(checkouts, checkoutsIn, checkoutsOut, written); doubled > 0 {
			s.Errorf("%d of %d records were written twice", doubled, written)
		}
		s.Logf("%d records, each there once", written)
	})
	s.step("the namespace is gone", func(s *suite) { namespaceGone(s, gone) })

	load = s.startLoad(checkoutsIn, written, 200)
	s.step("stop and restart the broker", func(s *suite) { restartBroker(s, broker) })
	s.step("kill a worker", killWorker)
	s.step("scale to zero and wake", scaleToZeroAndWake)
	s.step("kill the operator", killOperator)
	s.step("upgrade the chart", upgrade)
	written += load.stop(s)
	s.step("none lost", func(s *suite) {
		doubled := s.expectNumbered(checkouts, checkoutsIn, checkoutsOut, written)
		s.Logf("%d records, none lost, %d of them twice", written, doubled)
	})

	s.step("a program in Python", pythonProgram)
	s.step("a program that exists already", lineProgram)
	s.step("exactly once", exactlyOnce)
	s.step("delete", deleteProcessors)
	s.step("uninstall", uninstall)
	s.step("deploy by kustomize", deploy)
}
