package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// sidecarTarget is a program that speaks the protocol, and the worker's side of it.
type sidecarTarget struct {
	*program
	processor *sidecar.Processor
	clean     func()
}

func startSidecar(ctx context.Context, s subject) (target, error) {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) }
	metrics := prometheus.NewRegistry()
	socket := filepath.Join(dir, "socket")
	p, err := sidecar.Listen(sidecar.Options{
		Socket: socket, Batch: sidecar.Batch{MaxRecords: batchRecords}, Log: logr.Discard(), Metrics: metrics,
		Worker: config.Config{Ordering: config.Unordered, Input: config.Input{Topic: "bench", GroupID: "bench"}},
	})
	if err != nil {
		clean()
		return nil, err
	}
	program, err := startProgram(s, "MILLRACE_SOCKET="+socket, "MILLRACE_PROCESSES="+strconv.Itoa(s.Processes))
	if err != nil {
		err = errors.Join(err, p.Close())
		clean()
		return nil, err
	}
	t := &sidecarTarget{program, p, clean}
	if err := program.await(ctx, func() bool { return connected(metrics) == s.Processes }); err != nil {
		program.kill()
		return nil, errors.Join(err, t.stop())
	}
	return t, nil
}

// connected returns how many processes have connected.
func connected(metrics prometheus.Gatherer) int {
	families, err := metrics.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() == "millrace_sidecar_processes" {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return 0
}

func (t *sidecarTarget) process(ctx context.Context, b *batch, done *atomic.Int64) error {
	err := t.processor.ProcessBatch(ctx, b.recs, b.outs)
	done.Add(batchRecords)
	return err
}

func (t *sidecarTarget) stop() error {
	defer t.clean()
	return errors.Join(t.processor.Close(), t.program.stop())
}
