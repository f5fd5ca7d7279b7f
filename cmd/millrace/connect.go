package main

import (
	"context"
	"fmt"
)

// connect connects to the clusters, prepares the topics and notes where they stand.
func (s *session) connect(ctx context.Context) (err error) {
	if s.opts.dryRun {
		err = s.connectDry(ctx)
	} else {
		err = s.connectClusters(ctx)
	}
	if err != nil {
		return err
	}
	s.clusters.configure(&s.cfg)
	if err = s.clusters.prepareTopics(ctx, s.cfg, s.feeder != nil); err != nil {
		return err
	}
	count, err := s.clusters.input.client.AwaitPartitions(ctx, s.cfg.Input.Topic)
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	s.partitions = int(count)
	if s.feeder != nil {
		s.feeder.partitions = count
		if s.clusters.input.embedded != nil {
			s.feeder.pace = pace{most: mostUnsettled, settled: s.settled.Load}
		}
	}
	if c := s.clusters.input; c.embedded == nil {
		if s.group, err = watchGroup(ctx, c, s.cfg.Input.GroupID, s.cfg.Input.Topic, s.partitions); err != nil {
			return err
		}
	}
	s.deadLetters, err = s.clusters.input.deadLetterStarts(ctx, s.cfg.Failure.DeadLetter.Topic)
	return err
}

// connectClusters connects to the clusters of the run: without brokers, to embedded ones.
func (s *session) connectClusters(ctx context.Context) (err error) {
	if len(s.opts.brokers) > 0 {
		s.clusters = realClusters(s.cfg, s.opts.brokers)
	} else if s.clusters, err = (embedding{created: s.sayCreated}).clusters(s.cfg); err != nil {
		return err
	}
	return s.clusters.connect(ctx, s.cfg, s.logger())
}

func (s *session) sayCreated(topic string) {
	s.named.add(topic)
	s.screen.Say("Created topic %s on the embedded broker, because a result names it.", topic)
}
