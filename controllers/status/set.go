package status

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition is one present condition of a StreamProcessor.
type Condition struct {
	Type, Reason string
	Status       metav1.ConditionStatus
	// Message describes the state, with the remedy for a trouble.
	Message string
}

// True returns a condition that holds.
func True(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionTrue, Message: message}
}

// False returns a condition that does not hold.
func False(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionFalse, Message: message}
}

// Unknown returns a condition that may hold or not.
func Unknown(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionUnknown, Message: message}
}

// Set updates conditions to current and removes all others. lastTransitionTime changes
// only with the status; for Reconciling, also with the reason and the generation. New
// conditions get the order of current, so that the order is the same at each call.
func Set(conditions *[]metav1.Condition, generation int64, now metav1.Time, current ...Condition) {
	*conditions = slices.DeleteFunc(*conditions, func(old metav1.Condition) bool {
		return !slices.ContainsFunc(current, func(c Condition) bool { return c.Type == old.Type && c.shown() })
	})
	for _, c := range current {
		if !c.shown() {
			continue
		}
		if old := meta.FindStatusCondition(*conditions, c.Type); old != nil && !c.continues(old, generation) {
			old.LastTransitionTime = now
		}
		meta.SetStatusCondition(conditions, metav1.Condition{
			Type: c.Type, Status: c.Status, Reason: c.Reason, Message: cut(c.Message),
			ObservedGeneration: generation, LastTransitionTime: now,
		})
	}
}

// continues reports whether c has lasted since old was set.
func (c Condition) continues(old *metav1.Condition, generation int64) bool {
	return c.Type != Reconciling || c.Reason == old.Reason && generation == old.ObservedGeneration
}

func (c Condition) shown() bool {
	return alwaysThere[c.Type] || c.Status == metav1.ConditionTrue
}

// longest is the API server's limit for a condition's message, in bytes.
const longest = 32768

func cut(message string) string {
	if len(message) <= longest {
		return message
	}
	return message[:longest-3] + "..."
}
