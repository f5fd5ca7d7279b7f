package protocoltest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Program is the specification's test program, with one process for each connection. Tests
// break it in one way or another to see that a check notices.
type Program struct {
	// Broken names the fault of the program, "" for none.
	Broken string
	// Connect is Connect or ConnectGRPC.
	Connect func(socket string, hello *ProcessHello) (*Peer, error)

	peer   *Peer
	limits *WorkerHello
	// stopping says that the process ends the connection.
	stopping atomic.Bool
	mu       sync.Mutex
	changed  *sync.Cond      // credit has grown, or a batch is answered
	credit   int64           // in bytes; guarded by mu
	pending  int             // batches without their results; guarded by mu
	used     map[uint64]bool // ids of batches; guarded by mu
}

// programCredit is the number of batches that a Program takes at a time.
const programCredit = 3

// Main serves the environment's socket, in as many processes as it says, and returns the exit
// code. The processes are goroutines, which is enough for a test. connect is Connect or
// ConnectGRPC.
func Main(broken string, connect func(socket string, hello *ProcessHello) (*Peer, error)) int {
	n, err := strconv.Atoi(os.Getenv("MILLRACE_PROCESSES"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "MILLRACE_PROCESSES:", err)
		return 2
	}
	if broken == "processes" {
		n = 1
	}
	ends := make(chan error, n)
	for range n {
		p := &Program{Broken: broken, Connect: connect}
		go func() { ends <- p.serve(os.Getenv("MILLRACE_SOCKET")) }()
	}
	for range n {
		if err := <-ends; err != nil {
			if broken != "silent" {
				fmt.Fprintln(os.Stderr, "error:", err)
			}
			return 1
		}
	}
	return 0
}

func (p *Program) serve(socket string) (err error) {
	hello := &ProcessHello{MinVersion: 1, MaxVersion: 1, SDK: "test program", PID: int64(os.Getpid()), BatchCredit: programCredit}
	if p.Broken == "hello" {
		hello = &ProcessHello{MinVersion: 2, MaxVersion: 2}
	}
	if _, err := os.Stat(socket); err != nil && p.Broken == "late-socket" {
		return err
	}
	if p.peer, err = p.Connect(socket, hello); err != nil {
		return err
	}
	p.changed, p.used = sync.NewCond(&p.mu), map[uint64]bool{}
	first, err := p.receive()
	switch {
	case err != nil:
		return err
	case first.Close != nil:
		return p.end(first.Close)
	case first.Hello == nil:
		return p.mistake("the first message is no Hello")
	}
	p.limits, p.credit = first.Hello, int64(first.Hello.ByteCredit)
	p.stopAtSignal()
	for {
		f, err := p.receive()
		if err != nil && p.stopping.Load() {
			return nil // the worker has the Close
		}
		if err != nil {
			return err
		}
		if done, err := p.act(f); done || err != nil {
			return err
		}
	}
}

// receive returns the next message of the worker.
func (p *Program) receive() (*WorkerFrame, error) {
	f, err := p.peer.Receive()
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the worker is gone")
	case err != nil && p.Broken == "mistakes":
		select {}
	case err != nil:
		return nil, p.mistake(err.Error())
	}
	return f, nil
}

// mistake ends the connection.
func (p *Program) mistake(reason string) error {
	_ = p.peer.Send(&ProcessFrame{Close: &Close{Error: reason}})
	_ = p.peer.Conn.Close()
	return errors.New(reason)
}

// act acts on a message of an open connection; done says that it was the last one.
func (p *Program) act(f *WorkerFrame) (done bool, err error) {
	switch {
	case f.Batch != nil:
		return false, p.begin(f.Batch)
	case f.Credit != nil:
		p.mu.Lock()
		p.credit += int64(f.Credit.Bytes)
		p.changed.Broadcast()
		p.mu.Unlock()
	case f.Ping != nil && p.Broken == "ping":
	case f.Ping != nil:
		err = p.peer.Send(&ProcessFrame{Pong: f.Ping})
	case f.Drain != nil && p.Broken == "drain":
		err = p.peer.Send(&ProcessFrame{Drained: &struct{}{}})
	case f.Drain != nil:
		go func() {
			p.awaitIdle()
			_ = p.peer.Send(&ProcessFrame{Drained: &struct{}{}})
		}()
	case f.Close != nil:
		return true, p.end(f.Close)
	case p.Broken == "mistakes":
	case f.Hello != nil:
		return true, p.mistake("a second Hello")
	default:
		return true, p.mistake("an unknown message")
	}
	return false, err
}

// end acts on a Close of the worker.
func (p *Program) end(c *Close) error {
	if c.Error != "" {
		if p.Broken == "close-with-error" {
			return nil
		}
		return errors.New(c.Error)
	}
	if p.Broken != "close" {
		p.awaitIdle()
	}
	return p.peer.Conn.Close()
}

// stopAtSignal ends the process in good order at SIGTERM.
func (p *Program) stopAtSignal() {
	if p.Broken == "sigterm" {
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		<-stop
		p.awaitIdle()
		p.stopping.Store(true)
		_ = p.peer.Send(&ProcessFrame{Close: &Close{}}) // the worker ends the connection
	}()
}

// begin works on a batch beside others.
func (p *Program) begin(b *Batch) error {
	p.mu.Lock()
	reason := ""
	switch {
	case p.Broken == "mistakes":
	case len(b.Records) == 0:
		reason = "a batch without records"
	case p.used[b.ID]:
		reason = "a batch with a used id"
	case p.pending == programCredit:
		reason = "a batch without credit"
	}
	p.used[b.ID] = true
	p.pending++
	p.mu.Unlock()
	if reason != "" {
		return p.mistake(reason)
	}
	go p.answer(b)
	return nil
}

// awaitIdle waits until all batches are answered.
func (p *Program) awaitIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.pending > 0 {
		p.changed.Wait()
	}
}

func (p *Program) answer(b *Batch) {
	results := &Results{Batch: b.ID}
	for i := range b.Records {
		r := p.result(b, &b.Records[i])
		r.Index = uint32(i)
		results.Results = append(results.Results, r)
	}
	message, err := EncodeFrame(&ProcessFrame{Results: p.sized(results)})
	if err != nil {
		panic(err)
	}
	size := int64(len(message) - 4)
	p.mu.Lock()
	for p.credit < size && p.Broken != "byte-credit" {
		p.changed.Wait()
	}
	p.credit -= size
	p.mu.Unlock()
	_ = p.peer.SendBytes(message) // the connection may have ended
	p.mu.Lock()
	p.pending--
	p.changed.Broadcast()
	p.mu.Unlock()
	if p.Broken != "batch-credit" {
		_ = p.peer.Send(&ProcessFrame{Credit: &BatchCredit{Batches: 1}})
	}
}

// sized returns results that are not larger than the worker takes.
func (p *Program) sized(r *Results) *Results {
	message, err := EncodeFrame(&ProcessFrame{Results: r})
	if err != nil {
		panic(err)
	}
	if uint64(len(message)-4) <= p.limits.MaxFrameBytes || p.Broken == "results-too-large" {
		return r
	}
	f := &Failure{Message: "the results are too large"}
	if len(r.Results) == 1 {
		f.Kind = "PERMANENT"
	}
	return &Results{Batch: r.Batch, Failure: f}
}

// result does what the value of a record says.
func (p *Program) result(b *Batch, rec *Record) Result {
	command, argument, _ := strings.Cut(string(rec.Value), " ")
	n, _ := strconv.Atoi(argument)
	outputs := func(o ...Output) Result { return Result{Outputs: o} }
	fails := func(f Failure) Result { return Result{Failure: &f} }
	if p.Broken == command {
		return outputs(Output{Value: []byte("broken")})
	}
	switch command {
	case "filter":
		return Result{}
	case "describe":
		return outputs(Output{Value: describe(b, rec), SameKey: true})
	case "outputs":
		var all []Output
		for i := range n {
			all = append(all, Output{Value: []byte(strconv.Itoa(i)), SameKey: true})
		}
		return Result{Outputs: all}
	case "tombstone":
		return outputs(Output{SameKey: true})
	case "empty":
		return outputs(Output{Key: []byte{}, Value: []byte{}})
	case "topic":
		return outputs(Output{Topic: argument, SameKey: true, SameValue: true, SameHeaders: true})
	case "large":
		return outputs(Output{Value: []byte(strings.Repeat("x", n)), SameKey: true})
	case "fail":
		return fails(Failure{Message: argument, Detail: "a trace"})
	case "permanent":
		return fails(Failure{Kind: "PERMANENT", Message: argument})
	case "drop":
		return fails(Failure{Kind: "DROP", Message: argument})
	case "retry-after":
		return fails(Failure{Message: "later", RetryAfterMs: uint32(n)})
	case "dead-letter":
		return fails(Failure{Kind: "DEAD_LETTER", Message: "for others", DeadLetterTopic: argument})
	case "exit":
		os.Exit(3)
	case "sleep":
		time.Sleep(time.Duration(n) * time.Millisecond)
	}
	return outputs(p.echo(rec))
}

func (p *Program) echo(rec *Record) Output {
	o := Output{Key: rec.Key, Value: rec.Value, Headers: rec.Headers, TimestampMs: rec.TimestampMs}
	switch p.Broken {
	case "null-and-empty":
		if o.Value == nil {
			o.Value = []byte{}
		}
	case "header-names":
		o.Headers = nil
	}
	return o
}

// describe returns a record as JSON, with bytes in hex.
func describe(b *Batch, rec *Record) []byte {
	inHex := func(b []byte) any {
		if b == nil {
			return nil
		}
		return hex.EncodeToString(b)
	}
	headers := []any{}
	for _, h := range rec.Headers {
		headers = append(headers, []any{hex.EncodeToString(h.Name), inHex(h.Value)})
	}
	text, err := json.Marshal(map[string]any{
		"topic": b.Topic, "partition": rec.Partition, "offset": rec.Offset, "timestamp": rec.TimestampMs, "attempt": rec.Attempt,
		"key": inHex(rec.Key), "value": inHex(rec.Value), "headers": headers,
	})
	if err != nil {
		panic(err)
	}
	return text
}
