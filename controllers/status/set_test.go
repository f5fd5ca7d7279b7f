package status

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestTransitionTimeMovesWithTheStatusOnly(t *testing.T) {
	at := func(s int64) metav1.Time { return metav1.Unix(s, 0) }
	var conditions []metav1.Condition
	Set(&conditions, 1, at(1), False(Ready, PodsNotReady, "0 of 1"))
	Set(&conditions, 2, at(2), False(Ready, PodsFailing, "it crashes"))
	if c := conditions[0]; !c.LastTransitionTime.Equal(new(at(1))) || c.Reason != PodsFailing || c.ObservedGeneration != 2 {
		t.Errorf("%+v; want the first time, the new reason and generation", c)
	}
	Set(&conditions, 2, at(3), True(Ready, Running, "all"))
	if c := conditions[0]; !c.LastTransitionTime.Equal(new(at(3))) {
		t.Errorf("%+v; want the third time", c)
	}
}

func TestTroublesAreShownWhileTheyLast(t *testing.T) {
	var conditions []metav1.Condition
	now := metav1.Time{Time: time.Unix(1, 0)}
	Set(&conditions, 1, now, True(Ready, Running, "all"), True(PartitionCapped, MoreThanPartitions, "9 of 6"), False(Suspended, SuspendedBySpec, ""))
	if got := types(conditions); got != "Ready PartitionCapped" {
		t.Errorf("shown: %s", got)
	}
	Set(&conditions, 1, now, True(Ready, Running, "all"), False(PartitionCapped, MoreThanPartitions, ""))
	if got := types(conditions); got != "Ready" {
		t.Errorf("shown: %s", got)
	}
}

func TestLongMessagesAreCut(t *testing.T) {
	var conditions []metav1.Condition
	Set(&conditions, 1, metav1.Now(), False(Ready, InvalidSpec, strings.Repeat("x", 40_000)))
	if n := len(conditions[0].Message); n != longest {
		t.Errorf("%d bytes; the API server takes %d", n, longest)
	}
}

func types(conditions []metav1.Condition) string {
	var names []string
	for _, c := range conditions {
		names = append(names, c.Type)
	}
	return strings.Join(names, " ")
}
