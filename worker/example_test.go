package worker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// The main function of a program for a StreamProcessor: it writes each value in upper
// case.
func ExampleMain() {
	worker.Main(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		return bytes.ToUpper(rec.Value), nil
	}))
}

// Run is Main for programs that bring their own configuration. This one runs beside an
// embedded broker.
func ExampleRun() {
	broker := startBroker("lines", "shouts")
	defer broker.Close()
	broker.produce("lines", "hello", "world")

	cfg := config.Config{
		Name:   "shout",
		Kafka:  config.Kafka{BootstrapServers: broker.ListenAddrs()},
		Input:  config.Input{Topic: "lines"},
		Output: config.Output{Topic: "shouts"},
	}
	shout := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		return bytes.ToUpper(rec.Value), nil
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, cfg, shout) }()

	fmt.Println(broker.consume("shouts", 2))
	stop() // the worker drains: it finishes and commits what it has read
	fmt.Println(<-ended)
	// Output:
	// [HELLO WORLD]
	// <nil>
}

// A Map makes one record of each; key, headers and timestamp stay.
func ExampleMap() {
	shout := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		return bytes.ToUpper(rec.Value), nil
	})
	results := workertest.Run(context.Background(), shout, worker.Record{Key: []byte("k"), Value: []byte("hello")})
	out := results[0].Outputs[0]
	fmt.Printf("%s: %s\n", out.Key, out.Value)
	// Output: k: HELLO
}

// A Func makes any number of records of one. This one writes each word under itself as
// the key, and filters empty lines.
func ExampleFunc() {
	words := worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		var outputs []worker.Output
		for _, word := range bytes.Fields(rec.Value) {
			outputs = append(outputs, worker.Output{Key: word, Value: []byte("1")})
		}
		return outputs, nil
	})
	results := workertest.Run(context.Background(), words,
		worker.Record{Value: []byte("to be or not")}, worker.Record{Value: []byte("")})
	for _, out := range results[0].Outputs {
		fmt.Printf("%s=%s ", out.Key, out.Value)
	}
	fmt.Println(results[1].Filtered())
	// Output: to=1 be=1 or=1 not=1 true
}

// A record that can't be parsed fails each time. With Permanent the worker does not try
// it again: it becomes a dead letter, or whatever failure.onExhausted says.
func ExamplePermanent() {
	level := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		var event struct{ Level string }
		if err := json.Unmarshal(rec.Value, &event); err != nil {
			return nil, worker.Permanent(fmt.Errorf("read the event: %w", err))
		}
		return []byte(event.Level), nil
	})
	results := workertest.Run(context.Background(), level,
		worker.Record{Value: []byte(`{"level": "warn"}`)}, worker.Record{Value: []byte(`{"level"`)})
	fmt.Println(workertest.Values(results))
	fmt.Println(results[1].Err)
	// Output:
	// [warn]
	// read the event: unexpected end of JSON input
}
