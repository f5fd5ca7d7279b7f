package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"github.com/twmb/franz-go/pkg/kgo"
)

// order lists the programs in the order of their turns within a round.
var order = []string{
	"kafka-go loop", "millrace Unordered", "millrace Unordered exactly once", "franz-go loop", "millrace Key", "millrace Key exactly once",
	"no Kafka", "millrace Partition", "millrace Partition exactly once", "franz-go exactly once",
}

// comparison is one run of all programs on one broker.
type comparison struct {
	broker  *broker
	admin   admin
	results map[string][]result // of the current task, by program
}

func compare(ctx context.Context) error {
	b, err := startBroker(ctx)
	if err != nil {
		return err
	}
	defer b.stop()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.addrs...))
	if err != nil {
		return err
	}
	defer client.Close()
	c := &comparison{broker: b, admin: admin{client}}
	printSettings(b.name)
	for _, t := range tasks {
		if err := c.task(ctx, t.name, t.records); err != nil {
			return err
		}
		printTable(t.title, t.records, c.results)
	}
	return nil
}

// task runs all rounds of one task.
func (c *comparison) task(ctx context.Context, name string, records int) error {
	c.results = map[string][]result{}
	input := "bench-" + name
	if err := c.admin.create(ctx, input); err != nil {
		return err
	}
	if err := produceInput(ctx, c.broker.addrs, input, records); err != nil {
		return err
	}
	for round := range rounds {
		for _, program := range order {
			fmt.Fprintf(os.Stderr, "%s task, round %d of %d: %s\n", name, round+1, rounds, program)
			id := fmt.Sprintf("bench-%s-%d-%d", name, round, len(c.results[program])*len(order)+position(program))
			r, err := c.turn(ctx, job{
				Program: program, Task: name, Brokers: c.broker.addrs,
				Input: input, Output: id, Group: id, Records: records,
			})
			if err != nil {
				return err
			}
			c.results[program] = append(c.results[program], r)
		}
	}
	return c.admin.drop(ctx, input)
}

func position(program string) int {
	for i, name := range order {
		if name == program {
			return i
		}
	}
	return -1
}

// turn runs one program on a fresh output topic and checks that it has written all
// records. Loops without an idempotent producer may write some records twice.
func (c *comparison) turn(ctx context.Context, j job) (result, error) {
	if j.Program == "no Kafka" {
		return start(ctx, j)
	}
	if err := c.admin.create(ctx, j.Output); err != nil {
		return result{}, err
	}
	r, err := start(ctx, j)
	if err != nil {
		return result{}, err
	}
	count := c.admin.records
	if exactlyOnce(j.Program) {
		count = c.committed
	}
	written, err := count(ctx, j.Output)
	if err != nil {
		return result{}, err
	}
	switch more := written - int64(j.Records); {
	case more < 0:
		return result{}, fmt.Errorf("%s lost %d of %d records", j.Program, -more, j.Records)
	case more > 0:
		fmt.Fprintf(os.Stderr, "NOTE: %s wrote %d records twice\n", j.Program, more)
	}
	return r, c.admin.drop(ctx, j.Output)
}

// committed counts a topic's records that readers of committed records see.
func (c *comparison) committed(ctx context.Context, topic string) (int64, error) {
	end, err := c.admin.records(ctx, topic)
	if err != nil {
		return 0, err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(c.broker.addrs...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
	)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	var offsets, records int64
	for last := make(map[int32]int64); offsets < end; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return 0, fmt.Errorf("read topic %q: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records++
			}
			offsets += r.Offset + 1 - last[r.Partition]
			last[r.Partition] = r.Offset + 1
		})
	}
	return records, nil
}

// start runs the job in a separate process.
func start(ctx context.Context, j job) (r result, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	content, err := json.Marshal(j)
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), jobVariable+"="+string(content))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", j.Program, err)
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("%s: read its result %q: %w", j.Program, out, err)
	}
	return r, nil
}
