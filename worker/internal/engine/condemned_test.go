package engine

import (
	"errors"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// TestCondemnationsAreForOneLogOfOneAssignment: a record is condemned across starts over. A
// record with its offset in another topic, or after another owner had the partition, is not.
func TestCondemnationsAreForOneLogOfOneAssignment(t *testing.T) {
	here := &group.Assignment{Partition: 3}
	started := func(a *group.Assignment, topic byte) *partition {
		p := newPartition(t.Context(), a)
		p.origin = offsets.Origin{TopicID: kafka.TopicID{topic}}
		return p
	}
	for name, c := range map[string]struct {
		again    *partition
		position int64
		want     bool
	}{
		"after a start over":    {started(here, 1), 4, true},
		"behind it":             {started(here, 1), 8, false},
		"in another topic":      {started(here, 2), 0, false},
		"in another assignment": {started(&group.Assignment{Partition: 3}, 1), 4, false},
		"in another partition":  {started(&group.Assignment{Partition: 2}, 1), 4, false},
	} {
		var all condemnations
		all.add(started(here, 1), 7, errors.New("refused"))
		all.apply(c.again, c.position)
		if _, condemned, _ := c.again.failures.of(7); condemned != c.want {
			t.Errorf("%s: condemned: %v, want %v", name, condemned, c.want)
		}
	}
}
