// Package trouble decides which of many repeated failures to log. A Kafka client
// retries the same request again and again while a broker is away; the log has one
// line when that begins, one when it ends, and none for each attempt.
//
// The fetcher and the producer use it: a Streak for each partition, topic or broker,
// and a Report for each response of a broker.
package trouble

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// Streak is a run of failures of one thing, such as the requests for a partition. The
// zero value is after a success. It is not safe for concurrent use.
type Streak struct {
	kind   string
	since  time.Time // of the first failure; zero after a success
	logged time.Time // of the last failure that was to be logged
}

// Failed adds a failure and reports whether to log it: the failure before was of
// another kind, or was logged at least repeat ago. With a repeat of 0, a kind of
// failure is logged once.
func (s *Streak) Failed(kind string, repeat time.Duration) (log bool) {
	now := time.Now()
	if s.since.IsZero() {
		s.since = now
	}
	if s.kind == kind && !s.logged.IsZero() && (repeat == 0 || now.Sub(s.logged) < repeat) {
		return false
	}
	s.kind, s.logged = kind, now
	return true
}

// Ended ends the streak and reports whether it had a failure.
func (s *Streak) Ended() bool {
	failed := s.Failing()
	*s = Streak{}
	return failed
}

// Failing reports whether the last attempt has failed.
func (s *Streak) Failing() bool { return !s.since.IsZero() }

// Age returns the time since the first failure; 0 after a success.
func (s *Streak) Age() time.Duration {
	if s.since.IsZero() {
		return 0
	}
	return time.Since(s.since)
}

// SharedStreak is a Streak of several goroutines.
type SharedStreak struct {
	mu     sync.Mutex
	streak Streak // guarded by mu
}

// Failed is Streak.Failed.
func (s *SharedStreak) Failed(kind string, repeat time.Duration) (log bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streak.Failed(kind, repeat)
}

// Ended is Streak.Ended.
func (s *SharedStreak) Ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streak.Ended()
}

// Report gathers the failures of many partitions, so that one line names all that
// share one. The zero value is empty.
type Report struct {
	failed map[failure][]int32
	ended  map[string][]int32 // by topic
}

type failure struct {
	topic, text string
	age         time.Duration
}

// Failed adds a partition whose Streak reports that it is to be logged. age is the
// time since its first failure, 0 to leave it out.
func (r *Report) Failed(topic string, partition int32, text string, age time.Duration) {
	if r.failed == nil {
		r.failed = make(map[failure][]int32)
	}
	key := failure{topic, text, age.Round(time.Second)}
	r.failed[key] = append(r.failed[key], partition)
}

// Ended adds a partition that works again.
func (r *Report) Ended(topic string, partition int32) {
	if r.ended == nil {
		r.ended = make(map[string][]int32)
	}
	r.ended[topic] = append(r.ended[topic], partition)
}

// Log logs the report: failures under the first message, with values, and partitions
// that work again under the second.
func (r *Report) Log(log logr.Logger, failed, again string, values ...any) {
	for _, key := range slices.SortedFunc(maps.Keys(r.failed), compareFailures) {
		line := append([]any{"topic", key.topic, "partitions", slices.Sorted(slices.Values(r.failed[key]))}, values...)
		if key.age > 0 {
			line = append(line, "for", key.age.String())
		}
		log.Info(failed, append(line, "error", key.text)...)
	}
	for _, topic := range slices.Sorted(maps.Keys(r.ended)) {
		log.Info(again, "topic", topic, "partitions", slices.Sorted(slices.Values(r.ended[topic])))
	}
}

func compareFailures(a, b failure) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.text, b.text), cmp.Compare(a.age, b.age))
}
