package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestFeederWaitsForTheWorkers: an embedded broker would hold all of a file otherwise.
func TestFeederWaitsForTheWorkers(t *testing.T) {
	var settled atomic.Int64
	p := pace{most: 1000, settled: settled.Load}
	for range 20 {
		p.add(100)
	}
	ctx, cancel := context.WithTimeout(testContext(t), 3*feedPause)
	defer cancel()
	if err := p.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with 2000 bytes that are not settled: %v", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- p.wait(testContext(t)) }()
	settled.Store(10)
	if err := <-waited; err != nil {
		t.Error(err)
	}
	unbound := pace{}
	unbound.add(1 << 40)
	if err := unbound.wait(ctx); err != nil {
		t.Errorf("without a bound: %v", err)
	}
}

// TestEmbeddedBrokerForgetsWhatIsDone: the records that are settled, and the results that
// are collected.
func TestEmbeddedBrokerForgetsWhatIsDone(t *testing.T) {
	c, ctx := embedded(t), testContext(t)
	content := bytes.Repeat([]byte(strings.Repeat("x", 1000)+"\n"), 20_000)
	col, err := collect(ctx, c, "out", writeFile(t, "out", nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"in", "out"} {
		f := &feeder{records: openFile(t, writeFile(t, topic, content), formatLines), topic: topic}
		if err := f.run(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := col.finish(ctx); err != nil {
		t.Fatal(err)
	}
	s := &session{clusters: clusters{input: c, output: c}}
	s.cfg.Input.Topic = "in"
	s.last.committed = map[int32]int64{0: -1}
	ends := c.embedded.PartitionInfos("in")
	for _, p := range ends[1:] {
		s.last.committed[p.Partition] = p.HighWatermark
	}
	s.tidy(time.Now())
	for _, p := range c.embedded.PartitionInfos("in") {
		if done := p.NumBytes == 0; done != (p.Partition > 0) {
			t.Errorf("partition %d of in holds %d bytes", p.Partition, p.NumBytes)
		}
	}
	for _, p := range c.embedded.PartitionInfos("out") {
		if p.NumBytes > 0 {
			t.Errorf("partition %d of out holds %d bytes", p.Partition, p.NumBytes)
		}
	}
}
