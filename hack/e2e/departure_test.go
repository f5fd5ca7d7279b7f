//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/millrace-dev/millrace/worker/config"
)

// doomed is a namespace that is deleted together with its Kafka. Its StreamProcessor has
// deletionPolicy DeleteGroup.
var doomed = copier{"doomed", "leftovers"}

const doomedDrain = time.Second

// departure is the deletion of a namespace, which continues during other steps.
type departure chan time.Duration

// deleteWithKafka closes the listener of the broker for the namespace and deletes the namespace.
func deleteWithKafka(s *suite, gone departure) {
	s.kubectl("create", "namespace", doomed.namespace)
	s.apply(brokerService(doomed.namespace, doomedPort))
	doomed.run(s, withKafka(strings.Replace(manifest(doomed.name, "  deletionPolicy: DeleteGroup\n"),
		"drainTimeout: 10s", "drainTimeout: "+doomedDrain.String(), 1), "    bootstrapServers: [kafka:9092]\n"))
	s.await("a commit of the group", patience, func() error {
		if !doomedGroup(s) {
			return errors.New("there is none")
		}
		return nil
	})
	doomedListener(s, "--insert")
	started := time.Now()
	s.kubectl("delete", "namespace", doomed.namespace, "--wait=false")
	go func() {
		for {
			err := s.get("", doomed.namespace, &corev1.Namespace{})
			if apierrors.IsNotFound(err) {
				gone <- time.Since(started)
				return
			}
			time.Sleep(time.Second)
		}
	}()
}

// namespaceGone checks that the namespace has ended within the documented time for its
// StreamProcessor, plus some time for the namespace itself.
func namespaceGone(s *suite, gone departure) {
	deadline := 2*time.Minute + config.KillTimeout(doomedDrain)
	const own = 45 * time.Second
	ctx, cancel := context.WithTimeout(s.Context(), deadline+own)
	defer cancel()
	select {
	case took := <-gone:
		s.Logf("the namespace took %v to go, of which its StreamProcessor may take %v", took.Round(time.Second), deadline)
		if took > deadline+own {
			s.Errorf("the deletion of the namespace took %v, longer than %v", took, deadline+own)
		}
	case <-ctx.Done():
		s.Fatal("the namespace still exists")
	}
	if !doomedGroup(s) {
		s.Error("the group was deleted, so Kafka was not away")
	}
	doomedListener(s, "--delete")
}

// doomedGroup reports whether Kafka has the group.
func doomedGroup(s *suite) bool {
	s.Helper()
	return len(s.kafka.GroupOffsets("millrace-" + doomed.namespace + "." + doomed.name)[doomed.name]) > 0
}

// doomedListener makes the node reset all connections to the listener, or stops doing so.
func doomedListener(s *suite, act string) {
	s.Helper()
	out, err := exec.CommandContext(s.Context(), "iptables", act, "INPUT", "--protocol", "tcp",
		"--dport", fmt.Sprint(doomedPort), "--jump", "REJECT", "--reject-with", "tcp-reset").CombinedOutput()
	if err != nil {
		s.Fatalf("iptables %s: %v: %s", act, err, out)
	}
}
