package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// otherProtocol explains why the group's members and this one have no protocol
// in common.
func (m *Member) otherProtocol(ctx context.Context, err error) error {
	kind, name := m.groupProtocol(ctx)
	switch {
	case kind != "" && kind != consumerProtocol:
		return fmt.Errorf("it is a group of the type %q, not of consumers: choose another group id (%w)", kind, err)
	case name != "":
		name = fmt.Sprintf("the assignor %q, not", name)
	default: // in the middle of a rebalance, or it is not for us to know
		name = "another assignor than"
	}
	return fmt.Errorf("its members use %s %q: set partition.assignment.strategy to "+
		"CooperativeStickyAssignor everywhere, or choose another group id (%w)", name, assignorName, err)
}

// groupProtocol returns what the group's members have agreed on, as far as the
// coordinator tells.
func (m *Member) groupProtocol(ctx context.Context) (kind, name string) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout/3)
	defer cancel()
	answer, err := m.askGroup(ctx, &describegroups.Request{Groups: []string{m.cfg.GroupID}})
	if err != nil {
		return "", "" // it is only for the message
	}
	for _, g := range answer.(*describegroups.Response).Groups {
		if g.ErrorCode == 0 {
			kind, name = g.ProtocolType, g.ProtocolData
		}
	}
	return kind, name
}
