package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// errRejoin: the group needs the member to join again, at once.
var errRejoin = errors.New("the group is rebalancing")

// expulsion is what a coordinator said to a heartbeat or a commit: that the
// member is none.
type expulsion struct {
	id         string
	generation int32
	err        error
}

// Run joins the group and stays in it until Leave is called or ctx is done,
// which is no error. An error says why the member can't be in the group; then
// its partitions are Lost. A topic that does not exist is an ErrTopicNotFound at
// the start; later the member waits for it to come back. When Run returns the
// member owns nothing.
func (m *Member) Run(ctx context.Context) error {
	m.mu.Lock()
	m.running = true
	m.mu.Unlock()
	defer close(m.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(m.stopped, cancel)()
	var beside sync.WaitGroup
	beside.Go(func() { m.keepAlive(ctx) })
	beside.Go(func() { m.watchTopics(ctx) })
	err := m.findTopic(ctx)
	if err == nil {
		m.succeed(ctx)
		err = m.stay(ctx)
	}
	cancel()
	beside.Wait()
	if err != nil {
		err = groupError(m.cfg.GroupID, err)
		m.lose(err, true)
		return err
	}
	m.disownAll()
	return nil
}

// findTopic returns when the topic is seen. One that is missing at the start is
// more likely misspelt than late.
func (m *Member) findTopic(ctx context.Context) error {
	var pause backoff.Backoff
	for {
		_, err := m.c.Partitions(ctx, m.cfg.Topic)
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrTopicNotFound) || !retriable(err):
			return err
		}
		m.log.Info("could not look up the topic; trying again", "error", err.Error())
		_ = pause.Wait(ctx) // the look-up fails then
	}
}

// stay joins again and again, whenever there is a reason to. It returns an error
// that no repetition helps against.
func (m *Member) stay(ctx context.Context) error {
	var pause backoff.Backoff
	// Joining at once is what a rebalance needs, but not in a tight loop.
	again := backoff.Backoff{Initial: time.Millisecond, Max: 250 * time.Millisecond}
	for ctx.Err() == nil {
		err := m.join(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			pause.Reset()
			again.Reset()
			select {
			case <-m.rejoin:
			case <-ctx.Done():
			}
		case errors.Is(err, errRejoin):
			_ = again.Wait(ctx) // the loop looks at ctx
		case !retriable(err) && !errors.Is(err, kafkago.RebalanceInProgress):
			return err
		default:
			m.log.Info("could not join the group; trying again", "error", err.Error())
			_ = pause.Wait(ctx) // likewise
		}
	}
	return nil
}

// begin starts a join: it settles what is left of the time before and returns
// the context of the join, which an expulsion ends.
func (m *Member) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	// What is signalled from here on is news to this join.
	select {
	case <-m.rejoin:
	default:
	}
	m.mu.Lock()
	expelled := m.expelled
	m.expelled = nil
	if expelled != nil && !m.is(expelled) {
		expelled = nil // of an earlier membership
	}
	ctx, cancel := context.WithCancel(ctx)
	m.cancelJoin = cancel
	m.mu.Unlock()
	if expelled != nil {
		if errors.Is(expelled.err, kafkago.FencedInstanceID) {
			cancel()
			return nil, nil, m.fenced(expelled.err)
		}
		m.lose(expelled.err, errors.Is(expelled.err, kafkago.UnknownMemberId))
	}
	return ctx, cancel, nil
}

// is reports whether something was said of the member as it is now. It needs mu.
func (m *Member) is(e *expulsion) bool {
	return e.id == m.id && (e.generation == m.generation || !errors.Is(e.err, kafkago.IllegalGeneration))
}

// expel makes Run act on what the coordinator said to a request under an id and
// generation. A join that waits for its answer from a broker that coordinates no
// more would wait for long.
func (m *Member) expel(e *expulsion) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.is(e) {
		return
	}
	m.expelled = e
	if m.cancelJoin != nil {
		m.cancelJoin()
	}
	m.rejoin.Notify()
}

// lose gives up everything, because the coordinator has. forget says that the
// member's id is not known any more.
func (m *Member) lose(err error, forget bool) {
	lost := m.disownAll()
	m.mu.Lock()
	m.generation = noGeneration
	if forget {
		m.id = ""
	}
	m.mu.Unlock()
	if len(lost) > 0 {
		m.cfg.Handler.Lost(lost, err)
	}
}

func (m *Member) fenced(err error) error {
	return fmt.Errorf("another process has joined with the instance id %q; give each its own (%w)", m.cfg.InstanceID, err)
}
