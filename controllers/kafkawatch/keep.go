package kafkawatch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Brokers delete the offsets of a group some time after its last member has left, seven
// days by default. A StreamProcessor may have no pods for longer, because it is suspended,
// scaled to zero or can't run, and still has to continue where it stopped. So the keeper
// renews each watched group that has offsets and no members.

// keeping holds the intervals of the keeper.
type keeping struct {
	// look is the time between two looks for groups that are due.
	look time.Duration
	// most is the longest time between two renewals of a group. It is short enough for
	// brokers that keep offsets for a day, the default of old versions, and applies to
	// brokers that don't report how long they keep them.
	most time.Duration
}

var defaultKeeping = keeping{look: time.Minute, most: 6 * time.Hour}

const (
	// renewalsEach is the number of renewals in a retention period, so that some may
	// fail.
	renewalsEach = 4
	// renewalsAtOnce bounds the concurrent renewals in a cluster. A broker may delay
	// each renewal by a few seconds (group.initial.rebalance.delay.ms).
	renewalsAtOnce = 8
	// renewalTimeout bounds one renewal.
	renewalTimeout = 30 * time.Second
	// retentionAge is the time after which the keeper asks for the retention again.
	retentionAge = time.Hour
	// keepReminder is the time after which the log repeats that renewals fail.
	keepReminder = time.Hour
)

// keeper renews the groups of one cluster. Only its goroutine uses its fields.
type keeper struct {
	c        *connections
	interval time.Duration // between two renewals of a group
	known    time.Time     // time of the last question for the retention
	told     time.Time     // time of the last log line about failures
}

// run looks for groups to renew until ctx is done.
func (k *keeper) run(ctx context.Context) {
	look := k.c.w.keeping.look
	// Jitter keeps operators and clusters from falling into step.
	for pause(ctx, time.Duration(float64(look)*(0.9+0.2*rand.Float64()))) {
		k.round(ctx)
	}
}

// round renews the groups that are due and have no members. A group with members is next
// due after an interval, which is shorter than the time for which brokers keep its offsets
// after the last member has left.
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
		return // the operator stops, which has caused the failures
	}
	next := time.Now().Add(k.interval)
	for _, group := range groups {
		if failed[group] == nil {
			k.c.setKeptUntil(due[group], next)
		}
	}
	k.logFailures(failed)
}

// learn asks the cluster how long it keeps offsets, once per retentionAge.
func (k *keeper) learn(ctx context.Context) {
	if time.Since(k.known) < retentionAge {
		return
	}
	k.known, k.interval = time.Now(), k.c.w.keeping.most
	ctx, cancel := context.WithTimeout(ctx, k.c.w.timeout)
	defer cancel()
	retention, err := k.c.admin.OffsetsRetention(ctx)
	if err != nil {
		k.c.w.opts.Logger.V(1).Info("can't read how long the brokers keep offsets; renewing groups as if it were a day",
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
	_ = renewals.Wait() // the functions return no errors
	return failed
}

// logFailures logs that renewals failed, once per keepReminder.
func (k *keeper) logFailures(failed map[string]error) {
	if len(failed) == 0 || time.Since(k.told) < keepReminder {
		return
	}
	k.told = time.Now()
	for _, err := range failed {
		k.c.w.opts.Logger.Info(fmt.Sprintf("can't renew the offsets of %d consumer groups without members; trying again", len(failed)),
			"servers", k.c.servers, "one", err.Error())
		return
	}
}

// dueGroups returns the groups that have offsets and are due for a renewal, each with its
// watched StreamProcessors.
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

func (c *connections) setKeptUntil(watchers []*watched, next time.Time) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	for _, s := range watchers {
		s.keptUntil = next
	}
}
