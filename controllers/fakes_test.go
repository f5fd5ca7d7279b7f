package controllers

import (
	"errors"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// fakeKafka is a cluster whose facts the test sets, one for all StreamProcessors.
type fakeKafka struct {
	wake func(types.NamespacedName)
	// onSet is called in each reconciliation after the StreamProcessor was read; nil for
	// no call.
	onSet func(types.NamespacedName)

	mu       sync.Mutex
	facts    kafkawatch.Facts                           // guarded by mu
	history  []kafkawatch.Sample                        // guarded by mu
	targets  map[types.NamespacedName]kafkawatch.Target // guarded by mu
	sets     map[types.NamespacedName]int               // calls of Set; guarded by mu
	deletion kafkawatch.Deletion                        // guarded by mu
	asked    int                                        // calls of DeleteGroup; guarded by mu
	deleted  []string                                   // groups; guarded by mu
}

// newFakeKafka returns a cluster with an input topic of so many empty partitions.
func newFakeKafka(partitions int) *fakeKafka {
	return &fakeKafka{
		wake:    func(types.NamespacedName) {},
		targets: map[types.NamespacedName]kafkawatch.Target{}, sets: map[types.NamespacedName]int{},
		facts: kafkawatch.Facts{At: time.Now(), Partitions: make([]kafkawatch.Partition, partitions)},
	}
}

// change sets the facts and wakes all StreamProcessors.
func (f *fakeKafka) change(change func(*kafkawatch.Facts)) {
	f.mu.Lock()
	f.facts.Partitions = slices.Clone(f.facts.Partitions)
	change(&f.facts)
	f.mu.Unlock()
	f.wakeAll()
}

func (f *fakeKafka) wakeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range f.targets {
		f.wake(key)
	}
}

func (f *fakeKafka) Set(key types.NamespacedName, t kafkawatch.Target) error {
	if f.onSet != nil {
		f.onSet(key)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets[key] = t
	f.sets[key]++
	return nil
}

// looks counts the reconciliations of a StreamProcessor.
func (f *fakeKafka) looks(key types.NamespacedName) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sets[key]
}

func (f *fakeKafka) Forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.targets, key)
}

func (f *fakeKafka) Facts(types.NamespacedName) kafkawatch.Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts
}

func (f *fakeKafka) History(types.NamespacedName) []kafkawatch.Sample {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.history)
}

func (f *fakeKafka) DeleteGroup(_ types.NamespacedName, t kafkawatch.Target) kafkawatch.Deletion {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.deletion.Done {
		f.deleted = append(f.deleted, t.GroupID)
	}
	return f.deletion
}

func (f *fakeKafka) target(key types.NamespacedName) kafkawatch.Target {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.targets[key]
}

// fakePods are workers whose answers the test sets.
type fakePods struct {
	wake func(types.NamespacedName)

	mu    sync.Mutex
	facts podwatch.Facts                          // guarded by mu
	pods  map[types.NamespacedName][]podwatch.Pod // guarded by mu
}

func newFakePods() *fakePods {
	return &fakePods{
		wake: func(types.NamespacedName) {}, facts: podwatch.Facts{Saturation: -1},
		pods: map[types.NamespacedName][]podwatch.Pod{},
	}
}

func (f *fakePods) change(key types.NamespacedName, facts podwatch.Facts) {
	f.mu.Lock()
	f.facts = facts
	f.mu.Unlock()
	f.wake(key)
}

func (f *fakePods) Set(key types.NamespacedName, pods []podwatch.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pods[key] = pods
}

func (f *fakePods) Forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pods, key)
}

func (f *fakePods) Facts(types.NamespacedName) podwatch.Facts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.facts
}

var errNoBroker = errors.New("no Kafka broker can be reached: kafka:9092: connection refused")

var errUnsettled = errors.New("not settled yet")

var errQuota = errors.New("exceeded quota: team")
