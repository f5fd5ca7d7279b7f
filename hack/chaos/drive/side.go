package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// side is a second StreamProcessor for faults that lose records, or that need a
// dead-letter topic without letters.
type side struct{ *processor }

const (
	sideRate       = 60 // records a second
	sidePartitions = 3
)

// drawSide leaves out dead letters: those of the side are written on request only.
func drawSide(pick *rand.Rand) workload.Kind {
	for {
		switch kind := workload.Draw(pick); kind {
		case workload.Plain, workload.NullKey, workload.Tombstone, workload.Twin:
			return kind
		default:
		}
	}
}

func (s *side) faults() []fault {
	return []fault{
		{
			Kind:     schedule.Kind{Name: "retention overtakes", Class: "retention", Weight: 3, Recovery: 3 * time.Second},
			graceful: true, begin: s.deleteRecords,
		},
		{
			Kind: schedule.Kind{
				Name: "no dead-letter topic", Class: "dead letters", Weight: 3,
				Hold: [2]time.Duration{time.Second, 5 * time.Second}, Recovery: 8 * time.Second,
			},
			graceful: true, begin: s.deleteLetters,
		},
	}
}

// deleteRecords deletes records that the worker has not read yet: it pauses the process
// for a part of the session, and deletes all records that were written until then.
func (s *side) deleteRecords(ctx context.Context, pick *rand.Rand) (applied, error) {
	one, err := s.all.borrow(pick)
	if err != nil {
		return applied{}, err
	}
	defer s.all.giveBack(one)
	running, name := one.current()
	if running == nil {
		return applied{}, errNoPod
	}
	running.Pause()
	defer running.Continue()
	_ = wait(ctx, time.Second+time.Duration(pick.IntN(1000))*time.Millisecond)
	ends, err := s.cluster.Ends(ctx, s.names.Input)
	if err != nil {
		return applied{}, err
	}
	before := map[int32]int64{}
	for p, e := range ends {
		before[p] = e.End
	}
	s.checker.Deleted(before)
	if err := s.cluster.DeleteRecords(ctx, s.names.Input, before); err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%s below %v", s.names.Input, before), process: name}, nil
}

// deleteLetters deletes the dead-letter topic, which has no unread letters, and writes a
// record that becomes one.
func (s *side) deleteLetters(ctx context.Context, _ *rand.Rand) (applied, error) {
	s.letters.close()
	if err := s.cluster.DeleteTopic(ctx, s.names.DeadLetter); err != nil {
		return applied{}, s.again(context.WithoutCancel(ctx), err)
	}
	id := s.generator.inject(workload.Poison)
	return applied{detail: fmt.Sprintf("%s, and record %q", s.names.DeadLetter, id), end: func(ctx context.Context) error {
		if err := s.again(ctx, nil); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, recordPatience)
		defer cancel()
		_ = await(ctx, "the letter is there", func() bool { return s.checker.Ended(id) }) // the end of the episode judges
		return nil
	}}, nil
}

// again creates the dead-letter topic if it is not there, and reads it. It returns the
// given error if it succeeds.
func (s *side) again(ctx context.Context, failed error) (err error) {
	_ = await(ctx, "the dead-letter topic is there again", func() bool {
		err = s.cluster.CreateTopic(ctx, s.names.DeadLetter, deadLetterPartitions, topicConfigs)
		return err == nil || errors.Is(err, kerr.TopicAlreadyExists)
	})
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return err
	}
	if s.letters, err = s.readLetters(); err != nil {
		return err
	}
	return failed
}

// compareLosses compares the offsets that the worker reports as lost with those that are
// missing. It needs a worker that has run all the time. At least once, results may have been
// written before their offsets were lost.
func (s *side) compareLosses(reported map[int32]int64) {
	if reported == nil || len(s.all.history()) > 1 {
		return
	}
	for p, missing := range s.checker.Overtaken() {
		atLeastOnce := s.config.Delivery == config.AtLeastOnce
		if reported[p] < missing || reported[p] > missing && !atLeastOnce {
			s.checker.Violate(check.Lost, time.Now(), "%s/%d: retention took %d records that have no output, and the worker reports %d lost offsets",
				s.names.Input, p, missing, reported[p])
		}
	}
}

// reportedLosses asks the worker for the numbers of offsets that it reports as lost.
func (s *side) reportedLosses() map[int32]int64 {
	all := s.all.list()
	if len(all) != 1 {
		return nil
	}
	client := &http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(all[0].statusURL())
	if err != nil {
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	var status workerstatus.Status
	if err := json.NewDecoder(res.Body).Decode(&status); err != nil {
		return nil
	}
	losses := map[int32]int64{}
	for _, m := range status.Members {
		for i := range m.Partitions {
			if p := &m.Partitions[i]; p.Loss != nil {
				losses[p.Partition] = p.Loss.Offsets
			}
		}
	}
	return losses
}
