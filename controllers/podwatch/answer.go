package podwatch

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// A pod may run a program of a user, so the memory for its answers is bounded.
const (
	// maxAnswer bounds an answer in bytes. The Watcher asks only for partitions in
	// trouble, and a worker lists at most a few dozen of them.
	maxAnswer = 64 << 10
	// maxListed bounds the members of an answer, and the partitions of a member.
	maxListed = 100
	// maxKept bounds the stuck partitions, and the losses, that are kept of a pod.
	maxKept = 32
	// maxText bounds each text in bytes.
	maxText = 512
)

// answer is the part of a worker's /status that the Watcher uses. The type of the whole
// /status is worker/workerstatus.Status.
type answer struct {
	Topic      string       `json:"topic"`
	Partitions int32        `json:"partitions"`
	Waiting    string       `json:"waiting"`
	Members    upTo[member] `json:"members"`

	Expressions *expressions `json:"expressions"`
	Processes   *processes   `json:"processes"`
}

type processes struct {
	FailedRecently int    `json:"failedRecently"`
	LastError      string `json:"lastError"`
}

type expressions struct {
	Version string `json:"version"`
	Refused string `json:"refused"`
	Error   string `json:"error"`
}

// maxFailures is the highest number of failures that the Watcher believes.
const maxFailures = 1000

// maxPartitions is the highest number of partitions that the Watcher believes.
const maxPartitions = 100_000

type member struct {
	Generation int32           `json:"generation"`
	State      string          `json:"state"`
	Saturation float64         `json:"saturation"`
	Partitions upTo[partition] `json:"partitions"`
}

type partition struct {
	Partition       int32      `json:"partition"`
	State           string     `json:"state"`
	Position        int64      `json:"position"`
	Error           string     `json:"error"`
	HaltedSince     *time.Time `json:"haltedSince"`
	Loss            *loss      `json:"loss"`
	OldestUnsettled *unsettled `json:"oldestUnsettled"`
}

type loss struct {
	From   int64     `json:"from"`
	To     int64     `json:"to"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

type unsettled struct {
	Offset     int64     `json:"offset"`
	AgeSeconds float64   `json:"ageSeconds"`
	Since      time.Time `json:"since"`
	Attempts   int       `json:"attempts"`
	KeyHash    string    `json:"keyHash"`
	LastError  string    `json:"lastError"`
}

// upTo is a list that reads the first maxListed elements and skips the others.
type upTo[T any] []T

func (l *upTo[T]) UnmarshalJSON(data []byte) error {
	*l = nil
	decoder := json.NewDecoder(bytes.NewReader(data))
	if opening, err := decoder.Token(); err != nil || opening == nil {
		return err // the text is not a list, or null
	}
	for decoder.More() && len(*l) < maxListed {
		var element T
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		*l = append(*l, element)
	}
	return nil
}

// report returns the part of an answer that the Watcher keeps.
func (a *answer) report(pod string, at time.Time) *report {
	r := &report{at: at, waiting: shorten(a.Waiting), topic: shorten(a.Topic), partitions: min(max(a.Partitions, 0), maxPartitions)}
	if e := a.Expressions; e != nil {
		r.expressions = &Expressions{Pod: pod, Version: shorten(e.Version), Refused: shorten(e.Refused), Error: shorten(e.Error)}
	}
	if p := a.Processes; p != nil && p.FailedRecently > 0 {
		r.failures = &Failures{Pod: pod, Times: min(p.FailedRecently, maxFailures), LastError: shorten(p.LastError)}
	}
	for _, m := range a.Members {
		r.members++
		r.busy += min(max(m.Saturation, 0), 1)
		if !slices.Contains(r.generations, m.Generation) {
			r.generations = append(r.generations, m.Generation)
		}
		r.joining = r.joining || m.State == "joining"
		for i := range m.Partitions {
			if id := m.Partitions[i].Partition; id >= 0 && id < maxPartitions {
				m.Partitions[i].addTo(r, pod)
			}
		}
	}
	return r
}

func (p *partition) addTo(r *report, pod string) {
	if p.State == "halted" && p.HaltedSince != nil && plausible(*p.HaltedSince, r.at) {
		r.keepStuck(Stuck{
			Pod: pod, Partition: p.Partition, Offset: p.Position, Halted: true,
			Since: *p.HaltedSince, LastError: p.Error,
		})
	}
	if o := p.OldestUnsettled; o != nil && o.AgeSeconds >= StuckAfter.Seconds() && plausible(o.Since, r.at) {
		r.keepStuck(Stuck{
			Pod: pod, Partition: p.Partition, Offset: o.Offset, KeyHash: o.KeyHash,
			Since: o.Since, Attempts: min(max(o.Attempts, 0), math.MaxInt32), LastError: o.LastError,
		})
	}
	if l := p.Loss; l != nil && len(r.losses) < maxKept && plausible(l.At, r.at) {
		r.losses = append(r.losses, Loss{Partition: p.Partition, From: l.From, To: l.To, Reason: shorten(l.Reason), At: l.At})
	}
}

// plausible reports whether something reported at the time told can have happened at t. The
// API server refuses a status with a time that is absent or out of range, and a loss in
// the future would stay in the status for ever. The clocks may differ by a day.
func plausible(t, told time.Time) bool {
	const skew = 24 * time.Hour
	return t.Unix() > 0 && t.Before(told.Add(skew))
}

func (r *report) keepStuck(s Stuck) {
	if len(r.stuck) < maxKept {
		s.KeyHash, s.LastError = shorten(s.KeyHash), shorten(s.LastError)
		r.stuck = append(r.stuck, s)
	}
}

// shorten returns the first maxText bytes of a text.
func shorten(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}
