//go:build e2e

package e2e

// exactlyOnce kills a worker, deletes a pod and adds one, while records come in. Readers of
// committed records must see each result once.
func exactlyOnce(s *suite) {
	const payments = "payments"
	s.kafka.CreateTopic(payments, 4, nil)
	s.kafka.CreateTopic(payments+"-copy", 4, nil)
	s.apply(manifest(payments, "  delivery: ExactlyOnce\n  replicas: 2\n"))
	s.awaitConditions(payments, ready()...)
	s.awaitWorkers(payments, 2)
	load := s.startLoad(payments, 0, 200)
	killed := s.pod(payments)
	s.kill(namespace, killed)
	s.awaitRestart(namespace, killed)
	s.awaitWorkers(payments, 2)
	s.kubectl("delete", "pod", s.pod(payments))
	s.awaitWorkers(payments, 2)
	s.kubectl("scale", "sp/"+payments, "--replicas=3")
	s.awaitWorkers(payments, 3)
	s.awaitConditions(payments, ready()...)
	written := load.stop(s)
	if doubled := s.expectNumbered(payments, payments, payments+"-copy", written); doubled > 0 {
		s.Errorf("%d of %d records were written twice", doubled, written)
	}
	s.Logf("%d records, each there once", written)
}
