package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// trouble says how a record's first attempts go wrong.
type trouble struct {
	fails int           // the number of attempts that fail
	block time.Duration // how long the first attempt takes, also after its context has ended
}

// TestOrderIsKeptBesideEveryTrouble runs records that fail, are slow, overrun their
// timeout and lose their goroutine, alone and in batches that fail as a whole, while
// the pool grows and shrinks. Each record must finish once, in the order of its key or
// partition.
func TestOrderIsKeptBesideEveryTrouble(t *testing.T) {
	const partitions, chunks, size, timeout = 2, 24, 64, 40 * time.Millisecond
	for name, newLanes := range map[string]func() *Lanes{"key": func() *Lanes { return NewKeyLanes(4) }, "partition": NewPartitionLane} {
		for _, batch := range []int{1, 6} {
			for _, light := range []time.Duration{0, time.Hour} {
				t.Run(fmt.Sprintf("%s, batches of %d, light %s", name, batch, light), func(t *testing.T) {
					t.Parallel()
					seed := rand.Uint64()
					t.Logf("seed %d", seed)
					rnd := rand.New(rand.NewPCG(seed, 2))
					var mu sync.Mutex
					troubles := map[*record.Record]*trouble{}
					order := keyOf
					if name == "partition" {
						order = partitionOf
					}
					o := newOrder(t, partitions*chunks*size, order)
					// attempt uses up the trouble of one attempt.
					attempt := func(it Item) (block time.Duration, err error) {
						mu.Lock()
						defer mu.Unlock()
						tr := troubles[it.Record()]
						if tr == nil {
							return 0, nil
						}
						block, tr.block = tr.block, 0
						if tr.fails--; tr.fails >= 0 {
							err = errors.New("not yet")
						}
						return block, err
					}
					p := newTestPool(t, poolOptions{
						goroutines: 4, batch: batch, light: light, timeout: timeout, maxLost: 10_000,
						process: func(_ context.Context, it Item) error {
							block, err := attempt(it)
							time.Sleep(block)
							return err
						},
						whole: func(items []Item) error {
							mu.Lock()
							defer mu.Unlock()
							if slices.ContainsFunc(items, func(it Item) bool { tr := troubles[it.Record()]; return tr != nil && tr.fails > 0 }) {
								return errors.New("one of them")
							}
							return nil
						},
						finish: func(it Item, err error) (time.Duration, bool) {
							if err != nil {
								return time.Duration(it.Index%3) * time.Millisecond, true
							}
							o.finish(it.Record())
							return 0, false
						},
					})
					resizeAtRandom(t, p, seed)
					lanes := [partitions]*Lanes{newLanes(), newLanes()}
					for n := range chunks {
						for part := range partitions {
							keys := make([][]byte, size)
							for i := range keys {
								if rnd.IntN(20) > 0 {
									keys[i] = fmt.Append(nil, rnd.IntN(40))
								}
							}
							c := testChunk(lanes[part], int32(part), int64(n*size), keys...)
							mu.Lock()
							for i := range c.Records {
								switch rnd.IntN(150) {
								case 0, 1, 2, 3:
									troubles[&c.Records[i]] = &trouble{fails: 1 + rnd.IntN(3)}
								case 4:
									troubles[&c.Records[i]] = &trouble{block: slow + time.Duration(rnd.IntN(10))*time.Millisecond}
								case 5:
									troubles[&c.Records[i]] = &trouble{block: timeout + time.Duration(rnd.IntN(60))*time.Millisecond}
								}
							}
							mu.Unlock()
							p.Push(c)
						}
					}
					wait(t, "all records", o.done)
				})
			}
		}
	}
}

// resizeAtRandom changes the pool's size now and then until the test ends.
func resizeAtRandom(t *testing.T, p *Pool, seed uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		rnd := rand.New(rand.NewPCG(seed, 3))
		for ctx.Err() == nil {
			p.Resize(1 + rnd.IntN(8))
			time.Sleep(time.Duration(rnd.IntN(3000)) * time.Microsecond)
		}
	}()
}
