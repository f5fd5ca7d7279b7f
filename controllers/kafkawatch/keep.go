package kafkawatch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Brokers delete the offsets of a group some time after its last member has left,
// seven days by default. A StreamProcessor whose pods are away for longer, because
// it is suspended, scaled to zero or can't run, must go on where it stopped all the
// same. So the keeper renews each watched group that has offsets and no members,
// for whatever reason it has none.

// keeping is how often the keeper looks and acts.
type keeping struct {
	// look is the time from one look for groups that are due to the next.
	look time.Duration
	// most is the longest time from one renewal of a group to the next. It is short
	// enough for brokers that keep offsets for a day, as old ones do by default, and
	// holds for brokers that don't say how long they keep them.
	most time.Duration
}

var defaultKeeping = keeping{look: time.Minute, most: 6 * time.Hour}

const (
	// renewalsEach is how many renewals fit into a retention period, so that some
	// may fail.
	renewalsEach = 4
	// renewalsAtOnce bounds the renewals under way in a cluster: a broker may
	// hold each renewal for a few seconds (group.initial.rebalance.delay.ms).
	renewalsAtOnce = 8
	// renewalTimeout bounds one renewal.
	renewalTimeout = 30 * time.Second
	// retentionAge is how long the retention counts as known.
	retentionAge = time.Hour
	// keepReminder is how often the log repeats that groups can't be renewed.
	keepReminder = time.Hour
)

// keeper renews the groups of one cluster. Only its goroutine uses its fields.
type keeper struct {
	c        *connections
	interval time.Duration // from one renewal to the next
	known    time.Time     // when the interval was found out
	told     time.Time     // when a failure was logged last
}

// run looks for groups to renew until ctx is done.
func (k *keeper) run(ctx context.Context) {
	look := k.c.w.keeping.look
	// Jitter, so that operators and their clusters don't fall into step.
	for pause(ctx, time.Duration(float64(look)*(0.9+0.2*rand.Float64()))) {
		k.round(ctx)
	}
}

// round renews the groups that are due and have no members. Those with members are
// not due for an interval again: it is shorter than the time that their offsets
// outlive them.
func (k *keeper) round(ctx context.Context) {
	due := k.c.dueGroups(time.Now())
	if len(due) == 0 {
		return
	}
	k.learn(ctx)
	groups := make([]string, 0, len(due))
	for group := range due {
		groups = append(groups, group)
	}
	asking, cancel := context.WithTimeout(ctx, k.c.w.timeout)
	empty, failed := k.c.admin.EmptyGroups(asking, groups)
	cancel()
	for group, err := range k.renew(ctx, empty, due) {
		failed[group] = err
	}
	if ctx.Err() != nil {
		return // the operator stops, so the failures mean nothing
	}
	next := time.Now().Add(k.interval)
	for _, group := range groups {
		if failed[group] == nil {
			k.c.keptUntil(due[group], next)
		}
	}
	k.tell(failed)
}

// learn asks the cluster how long it keeps offsets, once in each retentionAge.
func (k *keeper) learn(ctx context.Context) {
	if time.Since(k.known) < retentionAge {
		return
	}
	k.known, k.interval = time.Now(), k.c.w.keeping.most
	ctx, cancel := context.WithTimeout(ctx, k.c.w.timeout)
	defer cancel()
	retention, err := k.c.admin.OffsetsRetention(ctx)
	if err != nil {
		k.c.w.opts.Logger.V(1).Info("the retention of offsets is not known; groups are renewed as if it were a day",
			"servers", k.c.servers, "error", err.Error())
		return
	}
	k.interval = min(retention/renewalsEach, k.interval)
}

// renew renews empty groups and returns the errors of those that it could not renew.
func (k *keeper) renew(ctx context.Context, groups []string, due map[string][]*watched) map[string]error {
	failed := make(map[string]error)
	var mu sync.Mutex // guards failed
	var renewals errgroup.Group
	renewals.SetLimit(renewalsAtOnce)
	for _, group := range groups {
		renewals.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, renewalTimeout)
			defer cancel()
			if err := k.c.admin.RenewGroup(ctx, group, due[group][0].target.Topic); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed[group] = err
			}
			return nil
		})
	}
	_ = renewals.Wait() // none of them fails
	return failed
}

// tell logs that groups can't be renewed, once in each keepReminder.
func (k *keeper) tell(failed map[string]error) {
	if len(failed) == 0 || time.Since(k.told) < keepReminder {
		return
	}
	k.told = time.Now()
	for _, err := range failed {
		k.c.w.opts.Logger.Info(fmt.Sprintf("offsets of %d consumer groups without members can't be kept alive; trying again", len(failed)),
			"servers", k.c.servers, "one", err.Error())
		return
	}
}

// dueGroups returns the groups that have offsets and are due for a renewal, each
// with its watched StreamProcessors.
func (c *connections) dueGroups(now time.Time) map[string][]*watched {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	due := make(map[string][]*watched)
	for _, s := range c.targets {
		if !now.Before(s.keptUntil) && s.facts.hasOffsets() {
			due[s.target.GroupID] = append(due[s.target.GroupID], s)
		}
	}
	return due
}

func (c *connections) keptUntil(watchers []*watched, next time.Time) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, s := range watchers {
		s.keptUntil = next
	}
}
