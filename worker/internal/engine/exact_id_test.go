package engine_test

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/config"
)

// TestMembersOfDifferentGroupsHaveDifferentIDs: the names of the groups and topics of two
// workers are the same text when they are joined by a hyphen. The workers don't fence each
// other.
func TestMembersOfDifferentGroupsHaveDifferentIDs(t *testing.T) {
	r, _ := fakeRig(t, 1)
	r.exact()
	r.cluster.CreateTopic("eu-in", 1, nil)
	first := r.start(identity, func(c *config.Config) { c.Input.GroupID, c.Input.Topic = "group-eu", "in" })
	second := r.start(identity, func(c *config.Config) { c.Input.GroupID, c.Input.Topic = "group", "eu-in" })
	r.eventually("both are at work", func() bool { return inState(first, "running") == 1 && inState(second, "running") == 1 })
	if id := first.transactionalID(); id == second.transactionalID() {
		t.Errorf("both have the transactional id %q", id)
	}
}

func (w *running) transactionalID() string { return w.engine.Status().Members[0].Transaction.ID }
