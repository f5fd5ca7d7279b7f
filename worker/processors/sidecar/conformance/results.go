package conformance

import (
	"strconv"
	"strings"

	"github.com/millrace-dev/millrace/worker"
	inner "github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

var results = []check{
	{"filter", "writes nothing for a record that it filters", func(s *session) {
		l := s.open()
		b := l.process("filter", "echo", "filter")
		l.expect(len(l.outputs(b.results[0]))+len(l.outputs(b.results[2])) == 0, "a filtered record has outputs")
		l.one(b.results[1])
	}},
	{"outputs", "writes several outputs of a record, in order", func(s *session) {
		l := s.open()
		outs := l.outputs(l.process("outputs 5").results[0])
		l.expect(len(outs) == 5, "the record has %d outputs, want 5", len(outs))
		for i, out := range outs {
			l.expect(string(out.Value) == strconv.Itoa(i), "output %d has the value %s", i, show(out.Value))
		}
	}},
	{"tombstone", "writes a null value, and an empty one", func(s *session) {
		l := s.open()
		b := l.process("tombstone", "empty")
		l.expect(l.one(b.results[0]).Value == nil, "the value of the tombstone is not null")
		out := l.one(b.results[1])
		l.expect(same(out.Value, []byte{}) && same(out.Key, []byte{}), "key and value of the empty output are %s and %s", show(out.Key), show(out.Value))
	}},
	{"topic", "names the topic of an output", func(s *session) {
		l := s.open()
		out := l.one(l.process("topic others").results[0])
		l.expect(out.Topic == "others", "the output's topic is %q, want \"others\"", out.Topic)
	}},
	{"large-output", "writes an output of 20 MiB", func(s *session) {
		l := s.open()
		out := l.one(l.process("large 20971520").results[0])
		l.expect(len(out.Value) == 20<<20 && strings.Trim(string(out.Value), "x") == "", "the output has %d bytes, or others than x", len(out.Value))
	}},
}

// outputs returns the outputs of a record that has not failed.
func (l *link) outputs(r *result) []inner.Output {
	l.expect(r != nil, "a record has no result")
	l.expect(r.failure == nil, "a record fails: %+v", r.failure)
	return r.outputs
}

// one returns the only output of a record.
func (l *link) one(r *result) inner.Output {
	outs := l.outputs(r)
	l.expect(len(outs) == 1, "a record has %d outputs, want one", len(outs))
	return outs[0]
}

func sameHeaders(a []inner.Header, b []worker.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || !same(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}

var failures = []check{
	{"failures", "reports failures of each kind, with their reasons", func(s *session) {
		l := s.open()
		for value, want := range map[string]frame.Failure{
			"fail the reason":       {Kind: frame.Retry, Message: "the reason"},
			"permanent the reason":  {Kind: frame.Permanent, Message: "the reason"},
			"drop the reason":       {Kind: frame.Drop, Message: "the reason"},
			"retry-after 1500":      {Kind: frame.Retry, RetryAfterMillis: 1500},
			"dead-letter the-topic": {Kind: frame.DeadLetter, DeadLetterTopic: "the-topic"},
		} {
			got := l.failure(l.process(value))
			l.expect(got.Kind == want.Kind && strings.Contains(got.Message, want.Message) && got.RetryAfterMillis == want.RetryAfterMillis &&
				got.DeadLetterTopic == want.DeadLetterTopic, "%q fails with %+v, want %+v", value, got, want)
		}
	}},
	{"failure-alone", "fails one record of a batch and not the others", func(s *session) {
		l := s.open()
		b := l.process("a", "fail it", "b", "permanent it", "c")
		l.expect(b.failure == nil, "the process fails the whole batch: %+v", b.failure)
		for i, r := range b.results {
			l.expect((r.failure != nil) == (i%2 == 1), "record %d has the failure %+v", i, r.failure)
		}
	}},
	{"results-too-large", "fails a batch whose results have more than max_frame_bytes, and a record for good", func(s *session) {
		l := s.openWith(terms{maxFrame: 64 << 10})
		values := strings.Split(strings.Repeat("large 20000,", 9)+"large 20000", ",")
		b := l.process(values...)
		l.expect(b.failure != nil && b.failure.Kind == frame.Retry, "10 results of 20,000 bytes end with %+v, want the failure RETRY of the batch", b.failure)
		failure := l.failure(l.process("large 100000"))
		l.expect(failure.Kind == frame.Permanent, "a result of 100,000 bytes fails with %+v, want PERMANENT", failure)
		l.wantEchoes(l.process("a"))
	}},
}

// failure returns that of a batch of one record, whichever way it is reported.
func (l *link) failure(b *batch) *frame.Failure {
	if b.failure != nil {
		return b.failure
	}
	l.expect(b.results[0].failure != nil, "the record does not fail")
	return b.results[0].failure
}
