package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

const (
	// shownDeadLetters is how many dead letters a summary quotes.
	shownDeadLetters = 5
	// deadLetterPatience bounds how long the summary waits for them.
	deadLetterPatience = 5 * time.Second
)

// deadLetter is a dead letter as its headers describe it.
type deadLetter struct {
	topic, partition, offset, reason string
}

// deadLetterStarts returns the offsets at which the dead letters of a run begin.
func (c *cluster) deadLetterStarts(ctx context.Context, topic string) (map[int32]int64, error) {
	if topic == "" {
		return nil, nil
	}
	starts, err := c.offsets(ctx, topic, kafka.Latest, config.ReadUncommitted)
	if err != nil {
		return nil, fmt.Errorf("dead-letter topic: %w", err)
	}
	return starts, nil
}

// deadLetters returns the first want dead letters from starts on, or fewer if the
// broker takes longer than deadLetterPatience.
func (c *cluster) deadLetters(ctx context.Context, topic string, starts map[int32]int64, want int) ([]deadLetter, error) {
	count, err := c.client.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	from := map[int32]kgo.Offset{}
	for partition := range count {
		from[partition] = kgo.NewOffset().At(starts[partition])
	}
	client, err := kgo.NewClient(append(c.kgoOptions(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
	)...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, deadLetterPatience)
	defer cancel()
	var letters []deadLetter
	for len(letters) < want && ctx.Err() == nil {
		for it := client.PollFetches(ctx).RecordIter(); !it.Done() && len(letters) < want; {
			letters = append(letters, describe(it.Next()))
		}
	}
	return letters, nil
}

func describe(r *kgo.Record) deadLetter {
	var d deadLetter
	for _, h := range r.Headers {
		switch h.Key {
		case worker.HeaderTopic:
			d.topic = string(h.Value)
		case worker.HeaderPartition:
			d.partition = string(h.Value)
		case worker.HeaderOffset:
			d.offset = string(h.Value)
		case worker.HeaderError:
			d.reason = string(h.Value)
		}
	}
	return d
}

// listDeadLetters formats dead letters for a person, one a line.
func listDeadLetters(topic string, letters []deadLetter) string {
	var out strings.Builder
	fmt.Fprintf(&out, "\nThe first dead letters in topic %s:\n", topic)
	for _, d := range letters {
		fmt.Fprintf(&out, "  topic %s partition %s offset %s: %s\n", d.topic, d.partition, d.offset, oneLine(d.reason))
	}
	return out.String()
}

// oneLine shortens an error to one line, which may take two of a terminal: a reason begins
// with what a program was doing.
func oneLine(text string) string {
	const longest = 240
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > longest {
		return string(runes[:longest-1]) + "…"
	}
	return string(runes)
}
