package assign

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// TestClaimsOfOtherMembersAreNotBelieved: a message that says that it has more than it has
// takes no memory for it.
func TestClaimsOfOtherMembersAreNotBelieved(t *testing.T) {
	subscription := Subscription{Topics: []string{"a", "b"}, Owned: []Partition{{"a", 1}, {"b", 2}}, Generation: 4}
	testkit.LengthClaims(t, subscription.Encode(), 1<<20, func(data []byte) { _, _ = DecodeSubscription(data) })
	assignment := Assignment{"a": {1, 2}, "b": {3}}
	testkit.LengthClaims(t, assignment.Encode(), 1<<20, func(data []byte) { _, _ = DecodeAssignment(data) })
}
