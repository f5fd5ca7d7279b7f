// Package sidecar hands records to processes in any language, by the protocol that
// worker/sdks/protocol specifies. In the data path it takes the place of a user's code: each
// call of ProcessBatch becomes one Batch on the connection of a process, and ends with that
// batch's results.
//
// The engine never has two calls under way whose records have an order between them, so a
// call may go to any process. The engine also halves batches that fail, charges attempts and
// repeats them; this package says which records can be at fault.
package sidecar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/listen"
)

// defaultRecords is the size of batches if neither the configuration nor the first process
// sets one.
const defaultRecords = 256

// closeTimeout is how long the processes may take to close their connections at the end.
const closeTimeout = 2 * time.Second

// Options say how a Processor works.
type Options struct {
	// Socket is the path of the Unix socket on which the worker waits for processes.
	Socket string
	// Batch has limits of batches. The process that connects first sets those that are 0.
	Batch Batch
	// Worker is the worker's configuration, for the processes' information.
	Worker config.Config
	Log    logr.Logger
	// Metrics takes the metrics, whose names begin with millrace_sidecar_; nil is allowed.
	Metrics prometheus.Registerer
}

// Batch has limits of a batch, with the meanings of worker.BatchProcessor and
// worker.BatchLimiter.
type Batch struct {
	MaxRecords int
	MaxBytes   int
	Linger     time.Duration
}

// Processor is a worker.BatchProcessor whose code runs in other processes. It is safe for
// concurrent use.
type Processor struct {
	opts     Options
	listener *listen.Listener
	metrics  *metrics
	failures failures
	places   places
	calls    sync.Pool // of *call
	// running counts the goroutines that accept and serve connections.
	running sync.WaitGroup
	// connected is closed when the first process has connected; limits is set before.
	connected chan struct{}
	first     sync.Once
	limits    Batch

	// maxFrame is the largest message from a process, and how many bytes the Results of one batch
	// may have.
	maxFrame              int
	pingInterval, silence time.Duration
	closeTimeout          time.Duration
}

var (
	_ worker.BatchProcessor = (*Processor)(nil)
	_ worker.BatchLimiter   = (*Processor)(nil)
)

// Listen begins to accept connections on the socket. A socket that an earlier process has
// left is replaced. The caller must Close the Processor.
func Listen(opts Options) (*Processor, error) {
	if err := os.Remove(opts.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replace the socket for processes: %w", err)
	}
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: opts.Socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for processes: %w", err)
	}
	// The processes may run as another user. Whoever may enter the folder may connect.
	if err := os.Chmod(opts.Socket, 0o666); err != nil {
		return nil, errors.Join(fmt.Errorf("let processes use the socket: %w", err), socket.Close())
	}
	p := &Processor{
		opts: opts, connected: make(chan struct{}),
		maxFrame: frame.DefaultMaxBytes, pingInterval: pingInterval, silence: silence, closeTimeout: closeTimeout,
	}
	p.calls.New = func() any { return newCall() }
	if p.metrics, err = newMetrics(p, opts.Metrics); err != nil {
		return nil, errors.Join(fmt.Errorf("register the metrics of processes: %w", err), socket.Close())
	}
	p.listener = listen.New(socket, helloTimeout)
	p.running.Go(p.accept)
	return p, nil
}

// Await waits until a process has connected. The Processor can be used after that.
func (p *Processor) Await(ctx context.Context) error {
	select {
	case <-p.connected:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for a process to connect to %s: %w", p.opts.Socket, context.Cause(ctx))
	}
}

// Connected reports whether a process has ever connected.
func (p *Processor) Connected() bool {
	select {
	case <-p.connected:
		return true
	default:
		return false
	}
}

// mostOwed is how much credit for bytes is given back at a time.
func (p *Processor) mostOwed() int { return p.maxFrame / 4 }

// byteCredit is how many bytes of Results a process may send without credit given back: a frame
// of the largest size, whatever it is owed. It would wait for ever for less.
func (p *Processor) byteCredit() int { return p.maxFrame + p.mostOwed() }

// BatchSize implements worker.BatchProcessor.
func (p *Processor) BatchSize() int { return p.limits.MaxRecords }

// BatchBytes implements worker.BatchLimiter.
func (p *Processor) BatchBytes() int { return p.limits.MaxBytes }

// BatchLinger implements worker.BatchLimiter.
func (p *Processor) BatchLinger() time.Duration { return p.limits.Linger }

// Drain asks the processes to answer what they have, without waiting for more.
func (p *Processor) Drain() { p.places.drain() }

// Close tells the processes that no more batches come, and waits until they have closed
// their connections, for two seconds at most. Then it removes the socket. The calls of
// ProcessBatch should have ended before.
func (p *Processor) Close() error {
	err := p.listener.Close()
	p.places.close()
	timer := time.AfterFunc(p.closeTimeout, func() {
		p.places.failAll(fmt.Errorf("%w for the process to close its connection", errImpatient))
	})
	defer timer.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), p.closeTimeout+goodbyeTimeout)
	defer cancel()
	p.running.Wait()
	p.listener.Wait(ctx)
	if err != nil {
		return fmt.Errorf("close the socket for processes: %w", err)
	}
	return nil
}

// settle fixes the limits of batches, by the wishes of the process that connects first.
func (p *Processor) settle(wishes Batch) {
	p.first.Do(func() {
		p.limits = Batch{
			MaxRecords: cmp.Or(p.opts.Batch.MaxRecords, wishes.MaxRecords, defaultRecords),
			MaxBytes:   cmp.Or(p.opts.Batch.MaxBytes, wishes.MaxBytes, defaultBytes),
			Linger:     cmp.Or(p.opts.Batch.Linger, wishes.Linger),
		}
		close(p.connected)
	})
}
