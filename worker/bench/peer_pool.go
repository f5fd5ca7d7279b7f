package main

import (
	"context"
	"sync"
)

// pureTask runs the task on the same goroutines and values, but without Kafka. It is the
// limit for all programs.
func pureTask(_ context.Context, j job, t task, c *clock) error {
	values := newValues()
	c.begin()
	var pool sync.WaitGroup
	for g := range goroutines {
		pool.Go(func() {
			dst := make([]byte, valueBytes)
			for i := g; i < j.Records; i += goroutines {
				t(dst, values[i%len(values)])
			}
		})
	}
	pool.Wait()
	c.end()
	return nil
}
