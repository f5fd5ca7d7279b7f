package engine

import (
	"errors"
	"runtime"
	"testing"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// TestManyPartitionsComeAndGoTogether: a partition that comes and goes with thousands
// of others takes no more work than one that comes and goes with a few. The feeder,
// which all partitions share, does this work.
func TestManyPartitionsComeAndGoTogether(t *testing.T) {
	few, many := bytesPerPartition(t, 100), bytesPerPartition(t, 2000)
	if many > 2*few {
		t.Errorf("each of 2000 partitions takes %d bytes, each of 100 %d", many, few)
	}
}

// bytesPerPartition assigns n partitions to a member and takes them away.
func bytesPerPartition(t *testing.T, n int) uint64 {
	t.Helper()
	client, err := kafka.NewClient(kafka.ClientConfig{BootstrapServers: []string{"localhost:1"}, Logger: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	m := newMember(newProcess(config.Config{}, nil, telemetry.NewMetrics("in"), logr.Discard()), 0)
	m.endWork() // so that no partition is acquired
	m.group = group.New(client, group.Config{GroupID: "group", Topic: "in", Logger: logr.Discard()})
	m.fetcher = fetch.New(client, fetch.Config{Topic: "in", Logger: logr.Discard()})
	defer m.fetcher.Close()
	m.acquirer = &acquirer{proc: m.proc, log: m.log, group: m.group, feeder: m.mail, working: m.working}
	assigned := make([]*group.Assignment, n)
	for i := range assigned {
		assigned[i] = &group.Assignment{Partition: int32(i)}
	}
	f := m.newFeeder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.assignments.assigned(1, assigned)
	if got := len(m.roster.partitions()); got != n {
		t.Errorf("others see %d partitions after the assignment of %d", got, n)
	}
	f.assignments.lost(assigned[1:], errors.New("expelled"))
	runtime.ReadMemStats(&after)
	if left := m.roster.partitions(); len(left) != 1 || left[0].assignment != assigned[0] {
		t.Errorf("others see %d partitions after the loss of all but the first", len(left))
	}
	f.assignments.abandonAll()
	if left := m.roster.partitions(); len(left) > 0 {
		t.Errorf("others see %d partitions after the end", len(left))
	}
	return (after.TotalAlloc - before.TotalAlloc) / uint64(n)
}
