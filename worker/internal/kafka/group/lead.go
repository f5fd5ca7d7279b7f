package group

import (
	"context"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go/protocol/joingroup"
	"github.com/segmentio/kafka-go/protocol/syncgroup"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
)

// distribute makes the assignments of all members, as the group's leader.
func (j *joiner) distribute(ctx context.Context, joined []joingroup.ResponseMember) ([]syncgroup.RequestAssignment, error) {
	var members []assign.Member
	topics := make(map[string]bool)
	for _, member := range joined {
		s, err := assign.DecodeSubscription(member.Metadata)
		if err != nil {
			// One faulty client must not stop the group.
			j.log.Error(err, "a member's subscription can't be read; it gets no partitions", "member", member.MemberID)
			s = assign.Subscription{Generation: assign.NoGeneration}
		}
		members = append(members, assign.Member{ID: member.MemberID, Subscription: s})
		for _, t := range s.Topics {
			topics[t] = true
		}
	}
	counts, err := j.topics.learnCounts(ctx, slices.Sorted(maps.Keys(topics)))
	if err != nil {
		return nil, err
	}
	var out []syncgroup.RequestAssignment
	for id, a := range assign.Assign(members, withClaims(counts, members)) {
		out = append(out, syncgroup.RequestAssignment{MemberID: id, Assignment: a.Encode()})
	}
	return out, nil
}

// withClaims returns counts, and for topics that are missing there, the partitions
// that members own. A broker that has just started may not know these topics yet,
// which is no reason to take them from everybody.
func withClaims(counts map[string]int32, members []assign.Member) map[string]int32 {
	all := maps.Clone(counts)
	for i := range members {
		for _, p := range members[i].Subscription.Owned {
			if counts[p.Topic] == 0 {
				all[p.Topic] = max(all[p.Topic], p.Partition+1)
			}
		}
	}
	return all
}
