package engine_test

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// yearOne is the timestamp of Go's zero time. Programs on .NET write it too, for a date
// that was never set.
const yearOne = -62_135_596_800_000

// timestamps are in milliseconds; -1 is that of a record that has none.
var timestamps = []int64{0, -1, 1_700_000_000_000, -2, -5000, yearOne, yearOne - 1, yearOne + 1, -1, -1 << 52}

func TestTimestampsAreKept(t *testing.T) {
	r, _ := fakeRig(t, 1)
	keepsTimestamps(t, r)
}

func TestApacheTimestampsAreKept(t *testing.T) {
	r, _ := apacheRig(t, 1)
	keepsTimestamps(t, r)
}

// keepsTimestamps has one worker write records with the timestamps, and another
// one copy them.
func keepsTimestamps(t *testing.T, r *rig) {
	t.Helper()
	for _, topic := range []string{"stamped", "copied"} {
		r.cluster.CreateTopic(topic, 1, nil)
	}
	r.produce(0, len(timestamps), 1)
	stamp := worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		i, err := strconv.Atoi(string(rec.Value))
		if err != nil {
			return nil, err
		}
		at := time.UnixMilli(timestamps[i])
		if timestamps[i] == yearOne {
			at = at.Add(time.Nanosecond) // or it would be the zero time, which keeps the input's
		}
		return []worker.Output{{Value: rec.Value, Timestamp: at}}, nil
	})
	workers := []*running{
		r.start(stamp, func(c *config.Config) { c.Output.Topic = "stamped" }),
		r.start(identity, func(c *config.Config) {
			c.Input.Topic, c.Output.Topic, c.Input.GroupID = "stamped", "copied", "copying"
		}),
	}
	read := func(topic string) map[int]int64 {
		got := map[int]int64{}
		for _, rec := range r.cluster.ConsumeAll(topic, kgo.ReadCommitted()) {
			i, err := strconv.Atoi(string(rec.Value))
			if err != nil {
				t.Fatal(err)
			}
			got[i] = rec.Timestamp.UnixMilli()
		}
		return got
	}
	want := map[int]int64{}
	for i, ms := range timestamps {
		want[i] = time.Unix(0, ms*1e6).UnixMilli() // as kgo reads them: the nanoseconds wrap around
	}
	r.eventually("all are copied", func() bool {
		settled := workers[1].engine.Status().Totals
		return settled.RecordsOut+settled.RecordsDeadLettered >= int64(len(want))
	})
	for _, topic := range []string{"stamped", "copied"} {
		if got := read(topic); !maps.Equal(got, want) {
			t.Errorf("%s: got  %v\nwant %v", topic, got, want)
		}
	}
}
