package dispatch

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// TestLaneKeepsItsOrderWhereverItIsCut pops a lane's records in pieces that end
// within chunks, and returns some.
func TestLaneKeepsItsOrderWhereverItIsCut(t *testing.T) {
	lanes := NewKeyLanes(8)
	key, other := []byte("a"), []byte("b")
	for n := 0; lanes.keyLane(&testChunk(nil, 0, 0, other).Records[0]) == lanes.keyLane(&testChunk(nil, 0, 0, key).Records[0]); n++ {
		other = fmt.Append(nil, n)
	}
	b := &newIdlePool(0, 0).backlog
	for chunk := range int64(3) {
		c := testChunk(lanes, 0, 10*chunk, key, other, key, key, other)
		c.link(0)
		b.addOrdered(c)
	}
	l := lanes.keyLane(&testChunk(nil, 0, 0, key).Records[0])
	if l.waiting != 9 || b.queued != 15 || b.ready.len() != 2 {
		t.Errorf("%d records wait in the lane, %d in the pool, %d lanes are ready; want 9, 15 and 2", l.waiting, b.queued, b.ready.len())
	}
	var got []int64
	take := func(n int) []Item {
		items := l.popItems(nil, n)
		for _, it := range items {
			got = append(got, it.Record().Offset)
		}
		return items
	}
	take(2)
	items := take(3) // across chunks
	got = got[:3]
	l.returned = append(l.returned, items[1:]...)
	l.requeueReturned()
	if l.waiting != 6 {
		t.Errorf("%d records wait after two were returned, want 6", l.waiting)
	}
	take(1)
	take(100)
	if want := "[0 2 3 10 12 13 20 22 23]"; fmt.Sprint(got) != want {
		t.Errorf("the order is %v, want %s", got, want)
	}
	if l.waiting != 0 || l.segments.len() != 0 {
		t.Errorf("%d records and %d segments are left", l.waiting, l.segments.len())
	}
}

func TestSeveralChunksArePushedAtOnce(t *testing.T) {
	for name, lanes := range map[string]*Lanes{"unordered": nil, "key": NewKeyLanes(8), "partition": NewPartitionLane()} {
		t.Run(name, func(t *testing.T) {
			const chunks, size = 20, 30
			o := newOrder(t, chunks*size, func(rec *record.Record) string {
				if lanes == nil {
					return strconv.FormatInt(rec.Offset, 10)
				}
				return "all"
			})
			keys := make([][]byte, size)
			for i := range keys {
				keys[i] = []byte("the only key")
			}
			p := newTestPool(t, poolOptions{goroutines: 3, process: func(_ context.Context, it Item) error {
				o.begin(it.Record())
				defer o.end(it.Record())
				return nil
			}, finish: func(it Item, _ error) (time.Duration, bool) {
				o.finish(it.Record())
				return 0, false
			}})
			var all []*Chunk
			for i := range int64(chunks) {
				all = append(all, testChunk(lanes, 0, i*size, keys...))
			}
			p.Push(all[:7]...)
			p.Push()
			p.Push(all[7:]...)
			wait(t, "all records", o.done)
		})
	}
}
