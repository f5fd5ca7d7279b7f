package broker

import (
	"bytes"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// membership is the classic protocol of a consumer group's members. The server's mu
// guards it.
type membership struct {
	server  *Server
	group   *Group
	state   groupState
	members map[string]*groupMember
	awaited map[string]bool // ids that were given and have not joined yet
	leader  string
	round   int // of rebalances that are complete
}

type groupState uint8

const (
	empty      groupState = iota
	preparing             // members join
	completing            // the leader assigns
	stable
)

type groupMember struct {
	id         string
	session    time.Duration
	rebalance  time.Duration
	metadata   []byte
	protocol   string
	joined     bool // in the present rebalance
	waiting    int  // requests to join that are held
	assignment []byte
	expiry     *time.Timer
}

func (s *Server) membership(id string) *membership {
	g := s.groups[id]
	if g == nil {
		g = &membership{server: s, group: s.cluster.Group(id), members: make(map[string]*groupMember), awaited: make(map[string]bool)}
		s.groups[id] = g
	}
	return g
}

func (s *Server) join(r *kmsg.JoinGroupRequest, gone <-chan struct{}) kmsg.Response {
	res := r.ResponseKind().(*kmsg.JoinGroupResponse)
	res.Generation = -1
	g := s.membership(r.Group)
	if r.MemberID == "" {
		s.members++
		res.MemberID = fmt.Sprintf("member-%d", s.members)
		res.ErrorCode = MemberIDRequired
		g.awaited[res.MemberID] = true
		return res
	}
	m := g.members[r.MemberID]
	if m == nil && !g.awaited[r.MemberID] {
		res.ErrorCode = UnknownMemberID
		return res
	}
	if m = g.admit(r, m); m.joined {
		round := g.round
		m.waiting++
		s.await(time.Hour, gone, func() bool { return g.round > round || g.members[m.id] != m })
		m.waiting--
		m.touch(g)
		if g.members[m.id] != m || g.round == round {
			res.ErrorCode = UnknownMemberID
			return res
		}
	}
	return g.joined(res, m)
}

// admit takes a request to join. The member waits for the others if it has joined then.
func (g *membership) admit(r *kmsg.JoinGroupRequest, m *groupMember) *groupMember {
	p := r.Protocols[0]
	if m != nil && (g.state == stable && g.leader != m.id || g.state == completing) && bytes.Equal(m.metadata, p.Metadata) {
		return m // it learns of the present generation
	}
	if m == nil {
		m = &groupMember{id: r.MemberID}
		g.members[m.id] = m
		delete(g.awaited, m.id)
	}
	m.session = time.Duration(r.SessionTimeoutMillis) * time.Millisecond
	m.rebalance = time.Duration(r.RebalanceTimeoutMillis) * time.Millisecond
	m.metadata, m.protocol = p.Metadata, p.Name
	m.touch(g)
	g.prepare()
	m.joined = true
	g.completeJoin(false)
	return m
}

func (g *membership) joined(res *kmsg.JoinGroupResponse, m *groupMember) kmsg.Response {
	res.Generation, res.LeaderID, res.MemberID, res.Protocol = g.group.Generation, g.leader, m.id, &m.protocol
	kind := "consumer"
	res.ProtocolType = &kind
	if m.id == g.leader {
		for _, o := range g.members {
			rm := kmsg.NewJoinGroupResponseMember()
			rm.MemberID, rm.ProtocolMetadata = o.id, o.metadata
			res.Members = append(res.Members, rm)
		}
	}
	return res
}

// prepare begins a rebalance, unless one is being prepared.
func (g *membership) prepare() {
	if g.state == preparing {
		return
	}
	g.state = preparing
	longest := time.Duration(0)
	for _, m := range g.members {
		m.joined = false
		longest = max(longest, m.rebalance)
	}
	round := g.round
	time.AfterFunc(longest, func() {
		g.server.mu.Lock()
		defer g.server.mu.Unlock()
		if g.round == round && g.state == preparing {
			g.completeJoin(true)
		}
	})
	g.server.change()
}

// completeJoin begins the next generation when all members have joined; late takes out
// those that have not.
func (g *membership) completeJoin(late bool) {
	for id, m := range g.members {
		switch {
		case m.joined:
		case late:
			g.drop(id)
		default:
			return
		}
	}
	g.round++
	g.group.Generation++
	g.state, g.group.Syncing = completing, true
	if len(g.members) == 0 {
		g.state, g.group.Syncing = empty, false
	}
	if g.members[g.leader] == nil {
		g.leader = ""
	}
	g.group.ExpelAll()
	for id, m := range g.members {
		m.joined, m.assignment = false, nil
		g.group.Admit(id)
		if g.leader == "" || id < g.leader && g.members[g.leader] == nil {
			g.leader = id
		}
	}
	g.server.change()
}

func (g *membership) drop(id string) {
	if m := g.members[id]; m != nil {
		m.expiry.Stop()
	}
	delete(g.members, id)
	g.group.Expel(id)
}

// remove takes a member out of the group.
func (g *membership) remove(id string) {
	g.drop(id)
	g.prepare()
	g.completeJoin(false)
	g.server.change()
}

// touch keeps a member's session.
func (g *membership) touch(id string) {
	if m := g.members[id]; m != nil {
		m.touch(g)
	}
}

func (m *groupMember) touch(g *membership) {
	if m.expiry != nil {
		m.expiry.Stop()
	}
	m.expiry = time.AfterFunc(m.session, func() {
		g.server.mu.Lock()
		defer g.server.mu.Unlock()
		switch {
		case g.members[m.id] != m:
		case m.waiting > 0:
			m.touch(g)
		default:
			g.remove(m.id)
		}
	})
}

// validate checks the member and the generation of a request.
func (g *membership) validate(id string, generation int32) Code {
	switch {
	case g.members[id] == nil:
		return UnknownMemberID
	case generation != g.group.Generation:
		return IllegalGeneration
	}
	g.touch(id)
	return 0
}

func (s *Server) sync(r *kmsg.SyncGroupRequest, gone <-chan struct{}) kmsg.Response {
	res := r.ResponseKind().(*kmsg.SyncGroupResponse)
	g := s.membership(r.Group)
	if res.ErrorCode = g.validate(r.MemberID, r.Generation); res.ErrorCode != 0 {
		return res
	}
	if g.state == completing && g.leader == r.MemberID {
		for _, a := range r.GroupAssignment {
			if m := g.members[a.MemberID]; m != nil {
				m.assignment = a.MemberAssignment
			}
		}
		g.state, g.group.Syncing = stable, false
		s.change()
	}
	s.await(time.Hour, gone, func() bool { return g.state != completing || g.group.Generation != r.Generation })
	switch res.ErrorCode = g.validate(r.MemberID, r.Generation); {
	case res.ErrorCode != 0:
	case g.state != stable:
		res.ErrorCode = RebalanceInProgress
	default:
		res.MemberAssignment = g.members[r.MemberID].assignment
	}
	return res
}

func (s *Server) heartbeat(r *kmsg.HeartbeatRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.HeartbeatResponse)
	g := s.membership(r.Group)
	res.ErrorCode = g.validate(r.MemberID, r.Generation)
	if res.ErrorCode == 0 && g.state == preparing {
		res.ErrorCode = RebalanceInProgress
	}
	return res
}

func (s *Server) leave(r *kmsg.LeaveGroupRequest) kmsg.Response {
	res := r.ResponseKind().(*kmsg.LeaveGroupResponse)
	g := s.membership(r.Group)
	ids := []string{r.MemberID}
	if r.Version >= 3 {
		ids = nil
		for _, m := range r.Members {
			ids = append(ids, m.MemberID)
		}
	}
	for _, id := range ids {
		rm := kmsg.NewLeaveGroupResponseMember()
		rm.MemberID = id
		if g.members[id] == nil {
			rm.ErrorCode = UnknownMemberID
		} else {
			g.remove(id)
		}
		res.Members = append(res.Members, rm)
	}
	return res
}
