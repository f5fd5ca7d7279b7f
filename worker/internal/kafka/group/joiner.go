package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/joingroup"
	"github.com/segmentio/kafka-go/protocol/syncgroup"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// errRejoin: the group needs the member to join again, at once.
var errRejoin = errors.New("the group is rebalancing")

// joiner joins the group whenever there is a reason to, and passes the assignments
// to the handler. It belongs to the goroutine of Member.Run.
type joiner struct {
	cfg    Config
	log    logr.Logger
	group  *coordinator
	state  *state
	topics *topicWatch
	file   *stateFile
	// repeatAfter is how long one request to join or to sync waits for its answer.
	repeatAfter time.Duration
}

// run keeps the member in the group until ctx is done. It returns an error only if
// joining again does not help.
func (j *joiner) run(ctx context.Context) error {
	var pause backoff.Backoff
	// A rebalance needs an immediate join, but not a tight loop.
	again := backoff.Backoff{Initial: time.Millisecond, Max: 250 * time.Millisecond}
	for ctx.Err() == nil {
		err := j.join(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			pause.Reset()
			again.Reset()
			select {
			case <-j.state.rejoin:
			case <-ctx.Done():
			}
		case errors.Is(err, errRejoin):
			_ = again.Wait(ctx) // the loop looks at ctx
		case !kafka.Retriable(err) && !errors.Is(err, kafkago.RebalanceInProgress):
			return err
		default:
			j.log.Info("could not join the group; trying again", "error", err.Error())
			_ = pause.Wait(ctx) // likewise
		}
	}
	return nil
}

// join joins the group with the partitions that the member owns, and applies the
// assignment.
func (j *joiner) join(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if e := j.state.beginJoin(cancel); e != nil {
		if errors.Is(e.err, kafkago.FencedInstanceID) {
			return j.fenced(e.err)
		}
		j.loseAll(e.err, errors.Is(e.err, kafkago.UnknownMemberId))
	}
	withdrawn := j.state.isWithdrawn()
	res, err := j.joinGroup(ctx, withdrawn)
	if err != nil {
		return j.unlessExpelled(err)
	}
	assigned, err := j.syncGroup(ctx, res)
	if err != nil {
		return j.unlessExpelled(err)
	}
	if withdrawn {
		// A leader may assign partitions to a member without topics, and keep on doing so.
		// Java's CooperativeStickyAssignor does if it looks at this member first. They go to
		// others when this member has left.
		assigned = nil
	}
	j.apply(res.GenerationID, res.LeaderID == res.MemberID, assigned)
	return nil
}

// unlessExpelled replaces the error of a join that an expulsion has cut short by
// errRejoin.
func (j *joiner) unlessExpelled(err error) error {
	if j.state.isExpelled() {
		return errRejoin
	}
	return err
}

// joinGroup joins with a wish for partitions of the topic, or without one if withdrawn is true.
func (j *joiner) joinGroup(ctx context.Context, withdrawn bool) (*joingroup.Response, error) {
	id, generation, partitions := j.state.claims()
	s := assign.Subscription{Generation: generation}
	if !withdrawn {
		s.Topics = []string{j.cfg.Topic}
	}
	for _, p := range partitions {
		s.Owned = append(s.Owned, assign.Partition{Topic: j.cfg.Topic, Partition: p})
	}
	answer, err := j.askPatiently(ctx, &joingroup.Request{
		GroupID:            j.cfg.GroupID,
		SessionTimeoutMS:   int32(j.cfg.SessionTimeout.Milliseconds()),
		RebalanceTimeoutMS: int32(j.cfg.RebalanceTimeout.Milliseconds()),
		MemberID:           id,
		GroupInstanceID:    j.cfg.InstanceID,
		ProtocolType:       assign.ProtocolType,
		Protocols:          []joingroup.RequestProtocol{{Name: assign.Name, Metadata: s.Encode()}},
	})
	if err != nil {
		return nil, err
	}
	res := answer.(*joingroup.Response)
	switch kafkago.Error(res.ErrorCode) {
	case 0:
		id = res.MemberID
		j.state.joinedAs(id, res.GenerationID)
	case kafkago.MemberIDRequired:
		id = res.MemberID
		j.state.setID(id)
	}
	j.file.save(id)
	return res, j.joinError(ctx, res)
}

// askPatiently sends a request that the coordinator answers when all members have joined, or
// when the leader has distributed the partitions. It repeats the request, since a connection
// may be dead without a sign on this end; the coordinator answers the last one.
func (j *joiner) askPatiently(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.RebalanceTimeout+kafka.RequestTimeout)
	defer cancel()
	for {
		attempt, cancel := context.WithTimeout(ctx, j.repeatAfter)
		answer, err := j.group.ask(attempt, req)
		overdue := attempt.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !overdue {
			return answer, err
		}
	}
}

func (j *joiner) joinError(ctx context.Context, res *joingroup.Response) error {
	err := wire.ErrorOf(res.ErrorCode)
	switch kafkago.Error(res.ErrorCode) {
	case 0:
		return nil
	case kafkago.MemberIDRequired:
		return errRejoin
	case kafkago.UnknownMemberId:
		j.loseAll(err, true)
		return errRejoin
	case kafkago.FencedInstanceID:
		return j.fenced(err)
	case kafkago.InconsistentGroupProtocol:
		return j.group.protocolError(ctx, err)
	case kafkago.InvalidSessionTimeout:
		return fmt.Errorf("the brokers do not allow a session timeout of %v: choose one between their "+
			"group.min.session.timeout.ms and group.max.session.timeout.ms (%w)", j.cfg.SessionTimeout, err)
	case kafkago.GroupMaxSizeReached:
		return fmt.Errorf("it is full: run fewer members, or raise the brokers' group.max.size (%w)", err)
	default:
		j.group.noteError(err)
		return fmt.Errorf("join: %w", err)
	}
}

// syncGroup distributes the partitions if this member leads, and returns its own
// assignment.
func (j *joiner) syncGroup(ctx context.Context, joined *joingroup.Response) (assign.Assignment, error) {
	req := &syncgroup.Request{
		GroupID: j.cfg.GroupID, GenerationID: joined.GenerationID, MemberID: joined.MemberID,
		GroupInstanceID: j.cfg.InstanceID, ProtocolType: assign.ProtocolType, ProtocolName: joined.ProtocolName,
	}
	if joined.LeaderID == joined.MemberID {
		var err error
		if req.Assignments, err = j.distribute(ctx, joined.Members); err != nil {
			return nil, err
		}
	}
	answer, err := j.askPatiently(ctx, req)
	if err != nil {
		return nil, err
	}
	res := answer.(*syncgroup.Response)
	err = wire.ErrorOf(res.ErrorCode)
	switch kafkago.Error(res.ErrorCode) {
	case 0:
	case kafkago.RebalanceInProgress:
		return nil, errRejoin
	case kafkago.UnknownMemberId, kafkago.IllegalGeneration:
		j.loseAll(err, kafkago.Error(res.ErrorCode) == kafkago.UnknownMemberId)
		return nil, errRejoin
	case kafkago.FencedInstanceID:
		return nil, j.fenced(err)
	default:
		j.group.noteError(err)
		return nil, fmt.Errorf("sync: %w", err)
	}
	a, err := assign.DecodeAssignment(res.Assignments)
	if err != nil {
		return nil, fmt.Errorf("the assignment by the group's leader can't be read: %w", err)
	}
	return a, nil
}

// apply stores an assignment and passes the changes to the handler.
func (j *joiner) apply(generation int32, leader bool, assigned assign.Assignment) {
	added, revoked := j.state.apply(leader, assigned[j.cfg.Topic])
	j.topics.assignmentApplied()
	j.cfg.Handler.Assigned(generation, added)
	if len(revoked) > 0 {
		j.cfg.Handler.Revoked(generation, revoked)
	}
}

// loseAll gives up all partitions, because the coordinator has taken them away.
// forgetID says that the coordinator does not know the member's id any more.
func (j *joiner) loseAll(err error, forgetID bool) {
	lost := j.state.disownAll()
	j.state.leaveGeneration(forgetID)
	if len(lost) > 0 {
		j.cfg.Handler.Lost(lost, err)
	}
}

func (j *joiner) fenced(err error) error {
	return fmt.Errorf("another process has joined with the instance id %q; give each its own (%w)", j.cfg.InstanceID, err)
}
