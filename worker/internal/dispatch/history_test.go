package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestOnlyTheRecordThatFailsAloneIsBlamed: the pool tries a batch that failed as a
// whole again in halves, until one record fails alone. No other record repeats.
func TestOnlyTheRecordThatFailsAloneIsBlamed(t *testing.T) {
	const records, batch, attempts = 160, 32, 3
	poison := map[int64]bool{5: true, 40: true, 41: true}
	for name, lanes := range map[string]*Lanes{"unordered": nil, "key": NewKeyLanes(4), "partition": NewPartitionLane()} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var sizes []int // of the attempts that failed as a whole
			tried, blamed, with := map[int64]int{}, map[int64]int{}, map[int64]int{}
			left, done := records, make(chan struct{})
			p := newTestPool(t, poolOptions{
				goroutines: 2, batch: batch,
				process: func(_ context.Context, it Item) error {
					if poison[it.Record().Offset] {
						return errors.New("poison")
					}
					return nil
				},
				whole: func(items []Item) error {
					mu.Lock()
					defer mu.Unlock()
					if !slices.ContainsFunc(items, func(it Item) bool { return poison[it.Record().Offset] }) {
						return nil
					}
					sizes = append(sizes, len(items))
					for _, it := range items {
						with[it.Record().Offset]++
						if n := it.Together(); n != with[it.Record().Offset]-1 {
							t.Errorf("record %d failed together with others %d times, Together returns %d", it.Record().Offset, with[it.Record().Offset]-1, n)
						}
					}
					return errors.New("one of them")
				},
				finish: func(it Item, err error) (time.Duration, bool) {
					mu.Lock()
					defer mu.Unlock()
					offset := it.Record().Offset
					tried[offset]++
					if err != nil {
						if blamed[offset]++; blamed[offset] < attempts {
							return time.Millisecond, true
						}
					}
					if left--; left == 0 {
						close(done)
					}
					return 0, false
				},
			})
			keys := make([][]byte, records)
			for i := range keys {
				keys[i] = fmt.Append(nil, i%10)
			}
			p.Push(testChunk(lanes, 0, 0, keys...))
			wait(t, "all records", done)
			if len(blamed) != len(poison) {
				t.Errorf("the blamed records are %v, want %v", blamed, poison)
			}
			for offset := range poison {
				if blamed[offset] != attempts {
					t.Errorf("record %d was blamed %d times, want %d", offset, blamed[offset], attempts)
				}
			}
			// At most 32, 16, 8, 4 and 2 for each poison record.
			if limit := 5 * len(poison); len(sizes) > limit {
				t.Errorf("%d attempts failed as a whole, want at most %d: %v", len(sizes), limit, sizes)
			}
			for offset, n := range with {
				if n > 5 {
					t.Errorf("record %d failed together with others %d times", offset, n)
				}
			}
			for offset, n := range tried {
				if n > 1 && !poison[offset] {
					t.Errorf("record %d finished %d times", offset, n)
				}
			}
		})
	}
}

// TestRecordsThatFailedTogetherAreTriedTogether: each half is one attempt of many
// records, also if their lanes differ.
func TestRecordsThatFailedTogetherAreTriedTogether(t *testing.T) {
	const records = 64
	for name, lanes := range map[string]*Lanes{"unordered": nil, "key": NewKeyLanes(16), "partition": NewPartitionLane()} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var sizes []int
			left, done := records, make(chan struct{})
			p := newTestPool(t, poolOptions{
				goroutines: 1, batch: records,
				process: func(context.Context, Item) error { return nil },
				whole: func(items []Item) error {
					mu.Lock()
					defer mu.Unlock()
					if sizes = append(sizes, len(items)); len(items) > records/4 {
						return errors.New("too many")
					}
					return nil
				},
				finish: func(Item, error) (time.Duration, bool) {
					mu.Lock()
					defer mu.Unlock()
					if left--; left == 0 {
						close(done)
					}
					return 0, false
				},
			})
			keys := make([][]byte, records)
			for i := range keys {
				keys[i] = fmt.Append(nil, i)
			}
			p.Push(testChunk(lanes, 0, 0, keys...))
			wait(t, "all records", done)
			if want := []int{64, 32, 32, 16, 16, 16, 16}; !sameSizes(sizes, want) {
				t.Errorf("the sizes of the attempts are %v, want %v", sizes, want)
			}
		})
	}
}

// TestAChunkMayLimitItsAttempts: a record that may crash the process shares its
// attempt with no more records than its chunk allows.
func TestAChunkMayLimitItsAttempts(t *testing.T) {
	const records = 20
	for name, lanes := range map[string]*Lanes{"unordered": nil, "key": NewKeyLanes(4), "partition": NewPartitionLane()} {
		for _, light := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint(name, light), func(t *testing.T) {
				left, done := 2*records, make(chan struct{})
				var mu sync.Mutex
				p := newTestPool(t, poolOptions{
					goroutines: 2, batch: 8, light: light,
					process: func(context.Context, Item) error { return nil },
					whole: func(items []Item) error {
						for _, it := range items {
							if limit := it.Chunk.Limit; limit > 0 && len(items) > int(limit) || limit != items[0].Chunk.Limit {
								t.Errorf("an attempt of %d records has one of a chunk with the limit %d", len(items), limit)
							}
						}
						return nil
					},
					finish: func(Item, error) (time.Duration, bool) {
						mu.Lock()
						defer mu.Unlock()
						if left--; left == 0 {
							close(done)
						}
						return 0, false
					},
				})
				limited := testChunk(lanes, 0, 0, nulls(records)...)
				limited.Limit = 2
				p.Push(limited, testChunk(lanes, 0, records, nulls(records)...))
				wait(t, "all records", done)
			})
		}
	}
}

func sameSizes(a, b []int) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
