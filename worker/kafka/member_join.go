package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/joingroup"
	"github.com/segmentio/kafka-go/protocol/syncgroup"
)

// join joins the group, with what is owned, and takes the assignment.
func (m *Member) join(ctx context.Context) error {
	ctx, cancel, err := m.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	res, err := m.joinGroup(ctx)
	if err != nil {
		return m.unlessExpelled(err)
	}
	assigned, err := m.syncGroup(ctx, res)
	if err != nil {
		return m.unlessExpelled(err)
	}
	m.apply(res.GenerationID, res.LeaderID == res.MemberID, assigned)
	return nil
}

// unlessExpelled makes a join that failed because it was cut short start again.
func (m *Member) unlessExpelled(err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.expelled != nil {
		return errRejoin
	}
	return err
}

func (m *Member) joinGroup(ctx context.Context) (*joingroup.Response, error) {
	m.mu.Lock()
	m.joining = true
	id := m.id
	// The generation is that of the last join, complete or not: its leader was
	// told of these claims and has assigned nothing against them.
	s := subscription{topics: []string{m.cfg.Topic}, owned: m.claims(), generation: m.generation}
	m.mu.Unlock()
	// The coordinator answers when all have joined.
	ctx, cancel := context.WithTimeout(ctx, m.cfg.RebalanceTimeout+requestTimeout)
	defer cancel()
	answer, err := m.askGroup(ctx, &joingroup.Request{
		GroupID:            m.cfg.GroupID,
		SessionTimeoutMS:   int32(m.cfg.SessionTimeout.Milliseconds()),
		RebalanceTimeoutMS: int32(m.cfg.RebalanceTimeout.Milliseconds()),
		MemberID:           id,
		GroupInstanceID:    m.cfg.InstanceID,
		ProtocolType:       consumerProtocol,
		Protocols:          []joingroup.RequestProtocol{{Name: assignorName, Metadata: s.encode()}},
	})
	if err != nil {
		return nil, err
	}
	res := answer.(*joingroup.Response)
	m.mu.Lock()
	switch kafkago.Error(res.ErrorCode) {
	case 0:
		m.id, m.generation, m.joining = res.MemberID, res.GenerationID, false
	case kafkago.MemberIDRequired:
		m.id = res.MemberID
	}
	now := m.id
	m.mu.Unlock()
	m.note(now)
	return res, m.joinError(ctx, res)
}

// claims lists what is owned, what is being drained last: assignors take from
// the end. It needs mu.
func (m *Member) claims() []topicPartition {
	var keep, drain []topicPartition
	for _, a := range m.order {
		if a.draining {
			drain = append(drain, topicPartition{m.cfg.Topic, a.Partition})
		} else {
			keep = append(keep, topicPartition{m.cfg.Topic, a.Partition})
		}
	}
	return append(keep, drain...)
}

func (m *Member) joinError(ctx context.Context, res *joingroup.Response) error {
	err := errorOf(res.ErrorCode)
	switch kafkago.Error(res.ErrorCode) {
	case 0:
		return nil
	case kafkago.MemberIDRequired:
		return errRejoin
	case kafkago.UnknownMemberId:
		m.lose(err, true)
		return errRejoin
	case kafkago.FencedInstanceID:
		return m.fenced(err)
	case kafkago.InconsistentGroupProtocol:
		return m.otherProtocol(ctx, err)
	case kafkago.InvalidSessionTimeout:
		return fmt.Errorf("the brokers do not allow a session timeout of %v: choose one between their "+
			"group.min.session.timeout.ms and group.max.session.timeout.ms (%w)", m.cfg.SessionTimeout, err)
	case kafkago.GroupMaxSizeReached:
		return fmt.Errorf("it is full: run fewer members, or raise the brokers' group.max.size (%w)", err)
	default:
		return m.groupFault("join", err)
	}
}

// groupFault forgets a coordinator that moved.
func (m *Member) groupFault(doing string, err error) error {
	m.moved(err)
	return fmt.Errorf("%s: %w", doing, err)
}

// syncGroup gives out the assignment if this member leads, and returns its own.
func (m *Member) syncGroup(ctx context.Context, joined *joingroup.Response) (assignment, error) {
	req := &syncgroup.Request{
		GroupID: m.cfg.GroupID, GenerationID: joined.GenerationID, MemberID: joined.MemberID,
		GroupInstanceID: m.cfg.InstanceID, ProtocolType: consumerProtocol, ProtocolName: joined.ProtocolName,
	}
	if joined.LeaderID == joined.MemberID {
		var err error
		if req.Assignments, err = m.lead(ctx, joined.Members); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, m.cfg.RebalanceTimeout+requestTimeout)
	defer cancel()
	answer, err := m.askGroup(ctx, req)
	if err != nil {
		return nil, err
	}
	res := answer.(*syncgroup.Response)
	err = errorOf(res.ErrorCode)
	switch kafkago.Error(res.ErrorCode) {
	case 0:
	case kafkago.RebalanceInProgress:
		return nil, errRejoin
	case kafkago.UnknownMemberId, kafkago.IllegalGeneration:
		m.lose(err, kafkago.Error(res.ErrorCode) == kafkago.UnknownMemberId)
		return nil, errRejoin
	case kafkago.FencedInstanceID:
		return nil, m.fenced(err)
	default:
		return nil, m.groupFault("sync", err)
	}
	a, err := decodeAssignment(res.Assignments)
	if err != nil {
		return nil, fmt.Errorf("the assignment by the group's leader can't be read: %w", err)
	}
	return a, nil
}

// lead makes the assignment of all members.
func (m *Member) lead(ctx context.Context, joined []joingroup.ResponseMember) ([]syncgroup.RequestAssignment, error) {
	var members []groupMember
	topics := make(map[string]bool)
	for _, j := range joined {
		s, err := decodeSubscription(j.Metadata)
		if err != nil {
			// One client that is out of order must not stop the group.
			m.log.Error(err, "a member's subscription can't be read; it gets no partitions", "member", j.MemberID)
			s = subscription{generation: noGeneration}
		}
		members = append(members, groupMember{id: j.MemberID, subscription: s})
		for _, t := range s.topics {
			topics[t] = true
		}
	}
	counts, err := m.partitionCounts(ctx, slices.Sorted(maps.Keys(topics)))
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.counts = counts
	m.mu.Unlock()
	var out []syncgroup.RequestAssignment
	for id, a := range assign(members, withClaims(counts, members)) {
		out = append(out, syncgroup.RequestAssignment{MemberID: id, Assignment: a.encode()})
	}
	return out, nil
}

// withClaims returns counts with what members own of topics that can't be seen.
// A broker that has just started may not know them yet, which is no reason to
// take them from everybody.
func withClaims(counts map[string]int32, members []groupMember) map[string]int32 {
	all := maps.Clone(counts)
	for i := range members {
		for _, p := range members[i].subscription.owned {
			if counts[p.topic] == 0 {
				all[p.topic] = max(all[p.topic], p.partition+1)
			}
		}
	}
	return all
}

// apply takes over an assignment.
func (m *Member) apply(generation int32, leads bool, assigned assignment) {
	var added, revoked []*Assignment
	mine := assigned[m.cfg.Topic]
	m.mu.Lock()
	m.joined, m.leader = true, leads
	for _, p := range mine {
		if m.owned[p] == nil {
			a := &Assignment{Partition: p}
			added = append(added, a)
			m.owned[p] = a
			m.order = append(m.order, a)
		}
	}
	for _, a := range m.order {
		if !a.draining && !slices.Contains(mine, a.Partition) {
			a.draining = true
			revoked = append(revoked, a)
		}
	}
	m.mu.Unlock()
	m.applied.Notify()
	m.cfg.Handler.Assigned(generation, added)
	if len(revoked) > 0 {
		m.cfg.Handler.Revoked(generation, revoked)
	}
}
