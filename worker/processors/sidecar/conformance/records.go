package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

var records = []check{
	{"echo", "writes a batch of records back", func(s *session) {
		l := s.open()
		var values []string
		for i := range 100 {
			values = append(values, fmt.Sprint("value ", i))
		}
		l.wantEchoes(l.process(values...))
	}},
	{"null-and-empty", "keeps null and empty keys, values and headers apart", func(s *session) {
		l := s.open()
		var recs []*worker.Record
		for _, key := range [][]byte{nil, {}, []byte("k")} {
			for _, value := range [][]byte{nil, {}, []byte("v")} {
				rec := record("")
				rec.Key, rec.Value = key, value
				rec.Headers = []worker.Header{{Key: "null"}, {Key: "empty", Value: []byte{}}, {Value: []byte("without a name")}}
				recs = append(recs, rec)
			}
		}
		l.wantEchoes(l.await(l.sendBatch(recs...)))
	}},
	{"fields", "gets each part of a record", func(s *session) {
		l := s.open()
		rec := record("describe")
		rec.Partition, rec.Offset, rec.Key = 3, 1<<40, []byte{0xff, 0}
		rec.Headers = []worker.Header{{Key: "a", Value: []byte("1")}, {Key: "a"}, {Key: "a", Value: []byte{}}}
		l.wantDescription(rec)
		rec = record("describe")
		rec.Key = nil
		l.wantDescription(rec)
		rec = record("describe")
		rec.Key = []byte{}
		l.wantDescription(rec)
	}},
	{"times", "tells no timestamp from 1970, and takes times before", func(s *session) {
		l := s.open()
		for _, at := range []time.Time{{}, time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(253402300799999)} {
			rec := record("describe")
			rec.Timestamp = at
			l.wantDescription(rec)
		}
	}},
	{"header-names", "takes names of headers that are not UTF-8, and writes them back", func(s *session) {
		l := s.open()
		rec := record("describe")
		rec.Headers = []worker.Header{{Key: "\xff\xfe", Value: []byte("v")}, {Key: "ü", Value: []byte("w")}}
		l.wantDescription(rec)
		rec = record("echo")
		rec.Headers = []worker.Header{{Key: "\xff\xfe", Value: []byte("v")}}
		l.wantEchoes(l.await(l.sendBatch(rec)))
	}},
	{"large-record", "takes a record of 20 MiB, and writes it back", func(s *session) {
		l := s.open()
		l.wantEchoes(l.process(strings.Repeat("x", 20<<20)))
	}},
	{"many-records", "takes a batch of 10,000 records", func(s *session) {
		l := s.open()
		l.wantEchoes(l.process(strings.Split(strings.Repeat("v,", 9_999)+"v", ",")...))
	}},
	{"unknown-fields", "ignores fields that it does not know", func(s *session) {
		l := s.open()
		l.credit--
		l.lastID++
		b := &batch{id: 1, records: []*worker.Record{record("v")}, results: make([]*result, 1), left: 1}
		l.batches[1] = b
		l.send(withUnknownField(encodeBatch(1, time.Minute, b.records)))
		l.wantEchoes(l.await(b))
	}},
}

// withUnknownField adds a field to the message of a frame, and one to the batch in it.
func withUnknownField(b []byte) []byte {
	message := b[frame.Prefix:]
	num, typ, n := protowire.ConsumeTag(message)
	body, _ := protowire.ConsumeBytes(message[n:])
	unknown := protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "later")
	longer := protowire.AppendTag(nil, num, typ)
	longer = protowire.AppendBytes(longer, append(append([]byte(nil), body...), unknown...))
	return framed(append(longer, unknown...))
}

// framed returns a frame with a message.
func framed(message []byte) []byte {
	n := len(message)
	return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, message...)
}

// wantEchoes ends the check unless each record of a batch was written back.
func (l *link) wantEchoes(b *batch) {
	l.expect(b.failure == nil, "the process fails the batch: %+v", b.failure)
	for i, r := range b.results {
		rec := b.records[i]
		out := l.one(r)
		l.expect(same(out.Value, rec.Value), "the value %s comes back as %s", show(rec.Value), show(out.Value))
		key := out.Key
		if key == nil && !out.NullKey {
			key = rec.Key
		}
		l.expect(same(key, rec.Key), "the key %s comes back as %s", show(rec.Key), show(key))
		l.expect(out.Headers == nil || sameHeaders(out.Headers, rec.Headers), "the headers %q come back as %q", rec.Headers, out.Headers)
		l.expect(out.Timestamp.IsZero() || out.Timestamp.UnixMilli() == rec.Timestamp.UnixMilli(), "the time %s comes back as %s", rec.Timestamp, out.Timestamp)
		l.expect(out.Topic == "", "the output names the topic %q", out.Topic)
	}
}

// description is the test program's report about a record, with bytes in hex.
type description struct {
	Topic     string       `json:"topic"`
	Partition int32        `json:"partition"`
	Offset    int64        `json:"offset"`
	Timestamp *int64       `json:"timestamp"`
	Attempt   int          `json:"attempt"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Headers   [][2]*string `json:"headers"`
}

// wantDescription sends a record with the value "describe", and ends the check unless the
// process has got each part of it.
func (l *link) wantDescription(rec *worker.Record) {
	out := l.one(l.await(l.sendBatch(rec)).results[0])
	var got description
	err := json.Unmarshal(out.Value, &got)
	l.expect(err == nil, "the description %q is not the JSON that it has to be: %v", out.Value, err)
	want := description{
		Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Attempt: 1,
		Key: inHex(rec.Key), Value: inHex(rec.Value), Headers: [][2]*string{},
	}
	if !rec.Timestamp.IsZero() {
		want.Timestamp = new(rec.Timestamp.UnixMilli())
	}
	for _, h := range rec.Headers {
		want.Headers = append(want.Headers, [2]*string{inHex([]byte(h.Key)), inHex(h.Value)})
	}
	if !reflect.DeepEqual(got, want) {
		text, _ := json.Marshal(want)
		l.failf("the process has got the record %s, and the worker has sent %s", out.Value, text)
	}
}

func inHex(b []byte) *string {
	if b == nil {
		return nil
	}
	return new(hex.EncodeToString(b))
}

func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// show returns bytes for a message.
func show(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > 40:
		return fmt.Sprintf("%q... (%d bytes)", b[:40], len(b))
	default:
		return fmt.Sprintf("%q", b)
	}
}
