//go:build e2e

package e2e

// exactlyOnce kills a worker, deletes a pod and adds one, while records come in. Readers of
// committed records must see each result once.
func exactlyOnce(s *suite) {
	const transfers = "transfers"
	s.kafka.CreateTopic(transfers, 4, nil)
	s.kafka.CreateTopic(transfers+"-copy", 4, nil)
	s.apply(manifest(transfers, "  delivery: ExactlyOnce\n  replicas: 2\n"))
	s.awaitConditions(transfers, ready()...)
	s.awaitWorkers(transfers, 2)
	load := s.startLoad(transfers, 0, 200)
	killed := s.pod(transfers)
	s.kill(namespace, killed)
	s.awaitRestart(namespace, killed)
	s.awaitWorkers(transfers, 2)
	s.kubectl("delete", "pod", s.pod(transfers))
	s.awaitWorkers(transfers, 2)
	s.kubectl("scale", "sp/"+transfers, "--replicas=3")
	s.awaitWorkers(transfers, 3)
	s.awaitConditions(transfers, ready()...)
	written := load.stop(s)
	if doubled := s.expectNumbered(transfers, transfers, transfers+"-copy", written); doubled > 0 {
		s.Errorf("%d of %d records were written twice", doubled, written)
	}
	s.Logf("%d records, each there once", written)
}
