package group

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// fleet is the members of one group, and the referee of their partitions.
type fleet struct {
	t          testing.TB
	cluster    *kafkatest.Cluster
	group      string
	topic      string
	partitions int32
	session    time.Duration // of its members
	patience   time.Duration // with one commit

	mu      sync.Mutex
	next    int
	owners  map[int32]*crew // guarded by mu
	since   map[int32]int   // the assignment that made the owner own it; guarded by mu
	events  int             // guarded by mu
	settled map[int32]int64 // the last offset whose commit was acknowledged; guarded by mu
}

// crew is a member with a worker, which commits its partitions all the time and gives
// up those that are revoked.
type crew struct {
	f      *fleet
	name   string
	m      *Member
	client *kafka.Client
	cfg    Config
	watch  time.Duration // how often it looks for new partitions
	idle   bool          // it commits only on request
	drain  time.Duration // how long draining takes
	repeat time.Duration // after which it repeats requests to join and to sync
	java   *javaMember   // instead of m
	dial   func(ctx context.Context, network, address string) (net.Conn, error)

	stop  context.CancelFunc // ends the member as a kill would
	work  context.Context    // ends with the crew
	quit  context.CancelFunc
	ended chan struct{} // Run has returned
	err   error         // of Run; valid once ended is closed
	busy  sync.WaitGroup

	commits sync.Mutex // an older offset must not follow a newer one

	mu      sync.Mutex
	owned   map[int32]*Assignment // guarded by mu
	turns   int                   // how often something was assigned, if only nothing; guarded by mu
	hold    chan struct{}         // draining ends when it is closed; nil is at once
	revoked []int32               // guarded by mu
	lost    []error               // guarded by mu
}

func newFleet(t testing.TB, cluster *kafkatest.Cluster, name string, partitions int32) *fleet {
	t.Helper()
	cluster.CreateTopic(name, partitions, nil)
	return &fleet{
		t: t, cluster: cluster, group: name, topic: name, partitions: partitions, session: 6 * time.Second, patience: 20 * time.Second,
		owners: map[int32]*crew{}, since: map[int32]int{}, settled: map[int32]int64{},
	}
}

// fakeFleet is a fleet on a kfake cluster.
func fakeFleet(t testing.TB, partitions int32) (*fleet, *kafkatest.FakeCluster) {
	t.Helper()
	cluster := kafkatest.Fake(t, kfake.GroupMinSessionTimeout(time.Second))
	f := newFleet(t, &cluster.Cluster, "in", partitions)
	f.session = 3 * time.Second
	return f, cluster
}

// start starts a member. It is ended with the test.
func (f *fleet) start(change ...func(*crew)) *crew {
	f.t.Helper()
	f.next++
	c := &crew{f: f, name: fmt.Sprintf("m%d", f.next), ended: make(chan struct{}), owned: map[int32]*Assignment{}}
	c.cfg = Config{
		GroupID: f.group, Topic: f.topic, SessionTimeout: f.session, RebalanceTimeout: 20 * time.Second,
		HeartbeatInterval: 50 * time.Millisecond, Handler: c,
	}
	for _, do := range change {
		do(c)
	}
	var err error
	c.client, err = kafka.NewClient(kafka.ClientConfig{BootstrapServers: f.cluster.Addrs(), ClientID: c.name, Topics: []string{f.topic}, Dial: c.dial})
	if err != nil {
		f.t.Fatal(err)
	}
	c.m = New(c.client, c.cfg)
	if c.repeat > 0 {
		c.m.joiner.repeatAfter = c.repeat
	}
	if c.watch > 0 {
		c.m.topics.interval = c.watch
	}
	var ctx context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	c.work, c.quit = context.WithCancel(context.Background())
	go func() {
		defer close(c.ended)
		c.err = c.m.Run(ctx)
	}()
	if !c.idle {
		c.busy.Go(c.commitAllTheTime)
	}
	f.t.Cleanup(func() {
		c.kill()
		c.client.Close()
	})
	return c
}

// grow gives the topic more partitions.
func (f *fleet) grow(partitions int32) {
	f.t.Helper()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = f.topic, partitions
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics = append(req.Topics, topic)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	res, err := req.RequestWith(ctx, f.cluster.Client())
	if err != nil || res.Topics[0].ErrorCode != 0 {
		f.t.Fatalf("create partitions: %v, %+v", err, res)
	}
	f.partitions = partitions
}

// kill ends a member without a word to the coordinator.
func (c *crew) kill() {
	c.quit()
	c.f.forget(c)
	c.stop()
	<-c.ended
	c.busy.Wait()
}

// leave ends a member in good order.
func (c *crew) leave() {
	c.f.t.Helper()
	c.quit()
	c.busy.Wait()
	c.f.forget(c)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.m.Leave(ctx); err != nil {
		c.f.t.Errorf("Leave: %v", err)
	}
	<-c.ended
	if c.err != nil {
		c.f.t.Errorf("Run: %v", c.err)
	}
}

func (f *fleet) forget(c *crew) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.owners, func(_ int32, owner *crew) bool { return owner == c })
}

// Assigned implements Handler.
func (c *crew) Assigned(generation int32, assigned []*Assignment) {
	if c.work.Err() != nil {
		return // dead: the kernel would have closed its sockets by now
	}
	partitions := partitionsOf(assigned)
	settled := c.take(generation, assigned)
	if len(partitions) > 0 {
		c.busy.Go(func() { c.checkCommitted(partitions, settled) })
	}
}

// take records with the referee that partitions are this crew's now, and returns the
// offsets up to which they are committed.
func (c *crew) take(generation int32, assigned []*Assignment) (settled map[int32]int64) {
	f := c.f
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range partitionsOf(assigned) {
		if other := f.owners[p]; other != nil {
			f.t.Errorf("generation %d: partition %d is assigned to %s while %s has it", generation, p, c.name, other.name)
		}
		f.events++
		f.owners[p], f.since[p] = c, f.events
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turns++
	for _, a := range assigned {
		c.owned[a.Partition] = a
	}
	return maps.Clone(f.settled)
}

func partitionsOf(assigned []*Assignment) []int32 {
	ids := make([]int32, 0, len(assigned))
	for _, a := range assigned {
		ids = append(ids, a.Partition)
	}
	return ids
}

// drop records with the referee that partitions are not this crew's any more, and
// returns those that were.
func (c *crew) drop(dropped []*Assignment) (mine []*Assignment) {
	c.mu.Lock()
	for _, a := range dropped {
		delete(c.owned, a.Partition)
	}
	c.mu.Unlock()
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	for _, a := range dropped {
		if c.f.owners[a.Partition] == c {
			delete(c.f.owners, a.Partition)
			mine = append(mine, a)
		}
	}
	return mine
}

// checkCommitted checks that the new owner sees the former owner's commits.
func (c *crew) checkCommitted(partitions []int32, settled map[int32]int64) {
	committed, err := c.m.Committed(c.work, partitions)
	if err != nil {
		if c.work.Err() == nil {
			c.f.t.Errorf("Committed: %v", err)
		}
		return
	}
	for _, p := range partitions {
		if got := committed[p]; got.Offset < settled[p] && settled[p] > 0 {
			c.f.t.Errorf("partition %d: committed %d, but %d was acknowledged before", p, got.Offset, settled[p])
		}
	}
}

// Revoked implements Handler.
func (c *crew) Revoked(_ int32, revoked []*Assignment) {
	c.mu.Lock()
	c.revoked = append(c.revoked, partitionsOf(revoked)...)
	hold := c.hold
	c.mu.Unlock()
	c.busy.Go(func() {
		_ = backoff.Sleep(c.work, c.drain) // the records in flight
		if hold != nil {
			select {
			case <-hold:
			case <-c.work.Done():
				return
			}
		}
		c.giveUp(revoked)
	})
}

// giveUp commits partitions for the last time and releases them.
func (c *crew) giveUp(revoked []*Assignment) {
	if !c.idle {
		c.commit(revoked)
	}
	c.m.Release(c.drop(revoked))
}

// Lost implements Handler.
func (c *crew) Lost(lost []*Assignment, err error) {
	c.mu.Lock()
	c.lost = append(c.lost, err)
	c.mu.Unlock()
	c.drop(lost)
}

func (c *crew) commitAllTheTime() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.work.Done():
			return
		case <-tick.C:
			c.mu.Lock()
			owned := slices.Collect(maps.Values(c.owned))
			c.mu.Unlock()
			c.commit(owned)
		}
	}
}

// commit moves the offsets of partitions by one. It fails the test when Commit
// gives any other error than that a partition is not owned.
func (c *crew) commit(owned []*Assignment) {
	if len(owned) == 0 {
		return
	}
	c.commits.Lock()
	defer c.commits.Unlock()
	c.f.mu.Lock()
	var offsets []CommitOffset
	for _, a := range owned {
		offsets = append(offsets, CommitOffset{Assignment: a, Offset: c.f.settled[a.Partition] + 1, Metadata: c.name})
	}
	c.f.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.work, c.f.patience)
	defer cancel()
	err := c.m.Commit(ctx, offsets)
	failed := map[int32]bool{}
	if err != nil {
		var refused *CommitError
		if !errors.As(err, &refused) {
			c.f.t.Errorf("Commit: %v", err)
			return
		}
		for _, x := range refused.Failed {
			failed[x.Assignment.Partition] = true
			if !errors.Is(x.Err, ErrNotOwned) && c.work.Err() == nil {
				c.f.t.Errorf("Commit of partition %d: %v", x.Assignment.Partition, x.Err)
			}
		}
	}
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	for _, o := range offsets {
		if p := o.Assignment.Partition; !failed[p] {
			c.f.settled[p] = max(c.f.settled[p], o.Offset)
		}
	}
}

// ownership returns the owner of each partition, and the event that made it the owner.
func (f *fleet) ownership() (owners map[int32]*crew, since map[int32]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.owners), maps.Clone(f.since)
}

// balanced reports whether the given members, and no others, own all partitions,
// evenly.
func (f *fleet) balanced(crews ...*crew) bool {
	owners, _ := f.ownership()
	if len(owners) != int(f.partitions) {
		return false
	}
	loads := map[*crew]int{}
	for _, owner := range owners {
		loads[owner]++
	}
	least, most := int(f.partitions)/len(crews), (int(f.partitions)+len(crews)-1)/len(crews)
	for _, c := range crews {
		if loads[c] < least || loads[c] > most {
			return false
		}
		delete(loads, c)
	}
	return len(loads) == 0
}

// await waits until the members have settled.
func (f *fleet) await(crews ...*crew) {
	f.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !f.balanced(crews...) {
		if time.Now().After(deadline) {
			owners, _ := f.ownership()
			for p, c := range owners {
				f.t.Logf("partition %d: %s", p, c.name)
			}
			for _, c := range crews {
				if c.m == nil {
					continue
				}
				f.t.Logf("%s: id %s, generation %d, joined %v, owned %v", c.name, c.m.ID(), c.m.Generation(), c.m.Joined(), c.ownedNow())
			}
			f.t.Fatal("the group has not settled")
		}
		<-tick.C
	}
}

func (c *crew) setHold(hold chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = hold
}

// knowsCounts reports whether the member would notice new partitions.
func (c *crew) knowsCounts() bool {
	return c.m.topics.known() != nil
}

// in reports whether the member has had an assignment.
func (c *crew) in() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turns > 0
}

// holding returns the assignment of a partition. For a partition that the crew does not
// own it makes an assignment up.
func (c *crew) holding(partition int32) *Assignment {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.owned[partition]; a != nil {
		return a
	}
	return &Assignment{Partition: partition}
}

func (c *crew) ownedNow() []int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.owned))
}

func (c *crew) revokedSoFar() []int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.revoked)
}

func (c *crew) lostSoFar() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lost)
}

// checkKept fails the test when a partition that has the same owner as before
// was taken away from it in between.
func (f *fleet) checkKept(owners map[int32]*crew, since map[int32]int) (kept int) {
	f.t.Helper()
	now, sinceNow := f.ownership()
	for p, owner := range owners {
		if now[p] != owner {
			continue
		}
		kept++
		if since[p] != sinceNow[p] {
			f.t.Errorf("partition %d was taken from %s and given back", p, owner.name)
		}
	}
	return kept
}

// hold makes a coordinator keep the next request of a kind that match accepts, until
// letGo is called or the test ends.
func hold(t testing.TB, cluster *kafkatest.FakeCluster, key kmsg.Key, match func(kmsg.Request) bool) (arrived <-chan struct{}, letGo func()) {
	t.Helper()
	here, gone := make(chan struct{}), make(chan struct{})
	letGo = sync.OnceFunc(func() { close(gone) })
	t.Cleanup(letGo)
	var held atomic.Bool
	cluster.Faults.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if match(req) && held.CompareAndSwap(false, true) {
			close(here)
			cluster.Faults.SleepControl(func() { <-gone })
		}
		return nil, nil, false
	})
	return here, letGo
}

func anyRequest(kmsg.Request) bool { return true }
