package sidecar_test

import (
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestNew: a worker waits for the first process, has the limits of its configuration, and
// asks its processes to drain when it has to stop.
func TestNew(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	setup := worker.Setup{Log: testr.New(t), Config: config.Config{Processor: config.Processor{Sidecar: &config.Sidecar{
		Socket: socket, Batch: config.SidecarBatch{MaxRecords: 7, MaxBytes: 1 << 20, Linger: config.Duration{Duration: time.Second}},
	}}}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	built := make(chan worker.Processor, 1)
	go func() {
		p, err := sidecar.New(ctx, setup)
		if err != nil {
			t.Error(err)
		}
		built <- p
	}()
	conn, err := protocoltest.Connect(socket, &protocoltest.ProcessHello{MinVersion: 1, MaxVersion: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	p := &peer{t, conn}
	if h := p.receive().Hello; h == nil || h.MaxRecords != 7 || h.MaxBytes != 1<<20 || h.LingerMs != 1000 {
		t.Errorf("the worker's Hello is %+v", h)
	}
	processor := (<-built).(interface{ Unwrap() any }).Unwrap()
	stop()
	if f := p.receive(); f.Drain == nil {
		t.Errorf("the worker sends %+v when it stops, want a Drain", f)
	}
	_ = conn.Conn.Close()
	if err := processor.(io.Closer).Close(); err != nil {
		t.Error(err)
	}
}

// TestNewEndsWithItsWorker while no process has connected.
func TestNewEndsWithItsWorker(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errTest)
	setup := worker.Setup{Log: testr.New(t), Config: config.Config{Processor: config.Processor{Sidecar: &config.Sidecar{Socket: filepath.Join(t.TempDir(), "s")}}}}
	if p, err := sidecar.New(ctx, setup); err == nil {
		t.Errorf("there is a processor %v without a process", p)
	}
}
