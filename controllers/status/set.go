package status

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Condition is one line of the status as it is now.
type Condition struct {
	Type, Reason string
	Status       metav1.ConditionStatus
	// Message says what is the matter and what to do.
	Message string
}

// True makes a condition that holds.
func True(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionTrue, Message: message}
}

// False makes a condition that does not hold.
func False(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionFalse, Message: message}
}

// Unknown makes a condition of which nobody knows.
func Unknown(kind, reason, message string) Condition {
	return Condition{Type: kind, Reason: reason, Status: metav1.ConditionUnknown, Message: message}
}

// Set makes conditions say what holds: those that are not among current are
// taken away, and lastTransitionTime moves with the status only, that of Reconciling
// with its reason and the generation too. The order is that of current for new ones,
// so it does not change from one call to the next.
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

// continues reports whether c is old, as it is now.
func (c Condition) continues(old *metav1.Condition, generation int64) bool {
	return c.Type != Reconciling || c.Reason == old.Reason && generation == old.ObservedGeneration
}

func (c Condition) shown() bool {
	return alwaysThere[c.Type] || c.Status == metav1.ConditionTrue
}

// longest is what the API server takes as a condition's message, in bytes.
const longest = 32768

func cut(message string) string {
	if len(message) <= longest {
		return message
	}
	return message[:longest-3] + "..."
}
