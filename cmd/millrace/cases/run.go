package cases

import (
	"context"
	"fmt"
	"strings"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// Run runs a case with a processor, and returns the lines that show how the results differ
// from the expected ones. There are none if they don't.
func (c *Case) Run(ctx context.Context, cfg config.Config, p worker.Processor) []string {
	var records []worker.Record
	for i := range c.In {
		rec, _ := c.In[i].Worker() // Parse has found errors
		if rec.Topic == "" {
			rec.Topic = cfg.Input.Topic
		}
		records = append(records, rec)
	}
	var outputs []worker.Output
	var failed []failure
	for i, result := range workertest.Run(ctx, p, records...) {
		outputs = append(outputs, result.Outputs...)
		if result.Err == nil {
			continue
		}
		failed = append(failed, failure{&records[i], result.Err})
		if cfg.Failure.OnExhausted == config.Halt {
			break // the worker reads the partition no further
		}
	}
	return append(c.compareOutputs(outputs, cfg.Output.Topic), c.compareFailures(failed, cfg.Failure.OnExhausted)...)
}

func (c *Case) compareOutputs(outputs []worker.Output, topic string) []string {
	return differences("out", c.Out, outputs,
		func(want *Content, got *worker.Output) bool { return want.matches(got, topic) },
		func(want *Content) string { return string(want.describe()) },
		func(got *worker.Output, like *Content) string { return string(describe(got, topic, like)) })
}

// failure is a record that has failed.
type failure struct {
	rec *worker.Record
	err error
}

// compareFailures compares the records that have failed with those that the case expects by
// the policy for them.
func (c *Case) compareFailures(failed []failure, policy config.OnExhausted) []string {
	var name string
	var want []Failure
	var misplaced []string
	for _, e := range []struct {
		policy config.OnExhausted
		name   string
		want   []Failure
	}{
		{config.ToDeadLetter, "deadLetters", c.DeadLetters}, {config.Drop, "dropped", c.Dropped}, {config.Halt, "halted", c.Halted},
	} {
		if e.policy == policy {
			name, want = e.name, e.want
		} else if len(e.want) > 0 {
			misplaced = append(misplaced, e.name)
		}
	}
	if len(misplaced) > 0 {
		return []string{fmt.Sprintf("spec.failure.onExhausted is %s: write the records that fail under %s instead of %s",
			policy, name, strings.Join(misplaced, " and "))}
	}
	return differences(name, want, failed, (*Failure).matches, (*Failure).describe, (*failure).describe)
}

func (f *Failure) matches(got *failure) bool {
	rec := got.asOutput()
	return f.Content.matches(&rec, "") && strings.Contains(got.err.Error(), f.Error)
}

func (f *Failure) describe() string {
	shown := f.Content.describe()
	if f.Error == "" {
		return string(shown)
	}
	return withError(shown, f.Error)
}

func (f *failure) describe(like *Failure) string {
	rec := f.asOutput()
	if like == nil {
		like = &Failure{Content: Content{Key: []byte("null"), Value: []byte("null")}}
	}
	return withError(describe(&rec, "", &like.Content), f.err.Error())
}

// asOutput returns the parts of the record that a dead letter has, too.
func (f *failure) asOutput() worker.Output {
	return worker.Output{Topic: f.rec.Topic, Key: f.rec.Key, Value: f.rec.Value, Headers: f.rec.Headers, Timestamp: f.rec.Timestamp}
}

func withError(shown []byte, err string) string {
	var o object
	o.text.Write(shown[:len(shown)-1])
	if len(shown) == len("{}") {
		o.text.Reset()
	}
	o.add("error", err)
	return string(o.end())
}

// describe returns the parts that are written, as describe does for an output.
func (c *Content) describe() []byte {
	rec, _ := (&Record{Content: *c}).Worker() // Parse has found errors
	out := worker.Output{Topic: c.Topic, Key: rec.Key, Value: rec.Value, Headers: rec.Headers, Timestamp: rec.Timestamp}
	return describe(&out, c.Topic, c)
}
