//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// groupConflict creates a second StreamProcessor with the group of a running one and with
// deletionPolicy DeleteGroup, and deletes it. The pods and the group have to stay.
func groupConflict(s *suite) {
	const rival = "a-rival" // a name that comes before the other's
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	s.kafka.CreateTopic(rival+"-copy", 1, nil)
	s.apply(strings.Replace(manifest(rival, "  deletionPolicy: DeleteGroup\n"), "{topic: "+rival+",",
		fmt.Sprintf("{topic: %s, groupId: %s,", checkoutsIn, group(checkouts)), 1))
	s.awaitConditions(rival, condition{
		kind: "Ready", status: metav1.ConditionFalse, reason: "GroupConflict", words: []string{"StreamProcessor " + checkouts, group(checkouts)},
	})
	s.held("while another wants the group", 3*time.Second, func() error {
		switch pods, err := s.pods(rival); {
		case err != nil:
			return err
		case len(pods) > 0:
			return fmt.Errorf("the second StreamProcessor has %d pods", len(pods))
		}
		return nil
	})
	s.kubectl("delete", "sp", rival, "--timeout=30s")
	if len(s.kafka.GroupOffsets(group(checkouts))[checkoutsIn]) == 0 {
		s.Error("the group was deleted with a StreamProcessor that did not hold it")
	}
	s.awaitConditions(checkouts, ready()...)
	s.expectSamePods(before)
}
