package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// GroupTopic is a consumer group with a topic that it reads.
type GroupTopic struct{ Group, Topic string }

// offsetsAtOnce bounds the partitions of one request: the metadata that workers commit
// with an offset has up to 4 KiB.
const offsetsAtOnce = 2000

// CommittedOffsets returns the offsets that groups have committed. partitions has the
// number of partitions of each topic; the offset of a partition without a commit is -1.
// It does not join the groups. It takes one request for each coordinator, or for each
// group where brokers are older than Kafka 3.0. The result has every key of partitions.
func (a *Admin) CommittedOffsets(ctx context.Context, partitions map[GroupTopic]int32) map[GroupTopic]TopicOffsets {
	wanted := make(map[string][]topicCount)
	for gt, n := range partitions {
		wanted[gt.Group] = append(wanted[gt.Group], topicCount{gt.Topic, n})
	}
	groups := make([]string, 0, len(wanted))
	for group := range wanted {
		groups = append(groups, group)
	}
	f := &fetching{a: a, wanted: wanted, offsets: make(map[GroupTopic]TopicOffsets, len(partitions))}
	brokers, failed := a.byCoordinator(ctx, groups)
	for group, err := range failed {
		f.fail(group, err)
	}
	var questions sync.WaitGroup
	for broker, coordinated := range brokers {
		questions.Go(func() { f.askCoordinator(ctx, broker, coordinated) })
	}
	questions.Wait()
	return f.offsets
}

// fetching collects the coordinators' answers.
type fetching struct {
	a      *Admin
	wanted map[string][]topicCount

	mu      sync.Mutex
	offsets map[GroupTopic]TopicOffsets // guarded by mu
}

func (f *fetching) askCoordinator(ctx context.Context, broker int32, groups []string) {
	batched, err := f.a.speaks(ctx, broker, protocol.OffsetFetch, groupsOffsetsVersion)
	if err != nil {
		f.failAll(groups, err)
		return
	}
	for len(groups) > 0 {
		req, n := f.request(groups, batched)
		if err := f.exchange(ctx, broker, req, batched); err != nil {
			// The rest would wait for the same.
			f.failAll(groups, err)
			return
		}
		groups = groups[n:]
	}
}

// request takes as many groups as one request may have.
func (f *fetching) request(groups []string, batched bool) (*groupsOffsets, int) {
	req := &groupsOffsets{}
	var partitions int32
	for _, group := range groups {
		for _, t := range f.wanted[group] {
			partitions += t.partitions
		}
		if len(req.groups) > 0 && (!batched || partitions > offsetsAtOnce) {
			break
		}
		req.groups = append(req.groups, groupPartitions{group, f.wanted[group]})
	}
	return req, len(req.groups)
}

func (f *fetching) exchange(ctx context.Context, broker int32, req *groupsOffsets, batched bool) error {
	if batched {
		res, err := f.a.exchange(ctx, broker, req)
		if err != nil {
			return err
		}
		f.take(req, res.(*groupsOffsetsAnswer).groups)
		return nil
	}
	res, err := f.a.exchange(ctx, broker, req.groups[0].single())
	if err != nil {
		return err
	}
	r := res.(*offsetfetch.Response)
	f.take(req, []groupOffsets{{req.groups[0].group, r.ErrorCode, r.Topics}})
	return nil
}

// single is the request for one group, as kafka-go knows it.
func (g groupPartitions) single() *offsetfetch.Request {
	req := &offsetfetch.Request{GroupID: g.group}
	for _, t := range g.topics {
		topic := offsetfetch.RequestTopic{Name: t.topic}
		for p := range t.partitions {
			topic.PartitionIndexes = append(topic.PartitionIndexes, p)
		}
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func (f *fetching) take(req *groupsOffsets, answered []groupOffsets) {
	for _, g := range answered {
		err := wire.ErrorOf(g.code)
		switch {
		case errors.Is(err, kafkago.GroupIdNotFound):
			f.takeNothing(g.group)
		case err != nil:
			f.failGroup(g.group, err)
		default:
			f.takeGroup(g)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range req.groups {
		for _, t := range g.topics {
			if gt := (GroupTopic{g.group, t.topic}); f.offsets[gt].Offsets == nil && f.offsets[gt].Err == nil {
				f.offsets[gt] = TopicOffsets{Err: kafka.GroupError(g.group,
					fmt.Errorf("topic %q: %w", t.topic, wire.OmittedError("it")))}
			}
		}
	}
}

func (f *fetching) takeGroup(g groupOffsets) {
	counts := make(map[string]int32, len(f.wanted[g.group]))
	for _, t := range f.wanted[g.group] {
		counts[t.topic] = t.partitions
	}
	for _, t := range g.topics {
		offsets := TopicOffsets{Offsets: unknownOffsets(int(counts[t.Name]))}
		for _, p := range t.Partitions {
			if err := wire.ErrorOf(p.ErrorCode); err != nil {
				f.failGroup(g.group, fmt.Errorf("partition %d of %w", p.PartitionIndex, kafka.TopicError(t.Name, "Describe", err)))
				return
			}
			if p.PartitionIndex >= 0 && int(p.PartitionIndex) < len(offsets.Offsets) {
				offsets.Offsets[p.PartitionIndex] = p.CommittedOffset
			}
		}
		f.mu.Lock()
		f.offsets[GroupTopic{g.group, t.Name}] = offsets
		f.mu.Unlock()
	}
}

// takeNothing is for a group that does not exist: some brokers call that an error.
func (f *fetching) takeNothing(group string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.wanted[group] {
		f.offsets[GroupTopic{group, t.topic}] = TopicOffsets{Offsets: unknownOffsets(int(t.partitions))}
	}
}

// failGroup is for an answer about one group.
func (f *fetching) failGroup(group string, err error) {
	if kafka.MovedGroup(err) {
		f.a.coordinators.forget(group)
	}
	f.fail(group, kafka.GroupError(group, fmt.Errorf("committed offsets: %w", err)))
}

// failAll is for a coordinator that gave no answer.
func (f *fetching) failAll(groups []string, err error) {
	f.a.coordinators.forget(groups...)
	for _, group := range groups {
		f.fail(group, kafka.GroupError(group, fmt.Errorf("committed offsets: %w", err)))
	}
}

func (f *fetching) fail(group string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.wanted[group] {
		f.offsets[GroupTopic{group, t.topic}] = TopicOffsets{Err: err}
	}
}
