package conformance

import (
	"time"

	"github.com/millrace-dev/millrace/worker"
)

// mistakes are frames that a worker must not send, by the names of their checks.
func mistakes() []check {
	one := []*worker.Record{record("a")}
	var list []check
	for _, m := range []struct {
		name, what string
		send       func(*link)
	}{
		{"empty-frame", "an empty frame", raw(0, 0, 0, 0)},
		{"huge-frame", "a frame of 4 GiB", raw(255, 255, 255, 255)},
		{"no-protobuf", "a frame that is not Protobuf", raw(0, 0, 0, 1, 0xff)},
		{"unknown-message", "a message that it does not know", raw(0, 0, 0, 2, 0x7a, 0)},
		{"empty-batch", "a batch without records", func(l *link) { l.send(encodeBatch(1, time.Minute, nil)) }},
		{"used-id", "a batch with the id of an earlier one", func(l *link) {
			l.wantEchoes(l.process("a"))
			l.send(encodeBatch(1, time.Minute, one))
		}},
		{"no-credit", "more batches than it has given credit for", func(l *link) {
			for id := range uint64(l.credit + 1) {
				l.send(encodeBatch(id+1, time.Minute, []*worker.Record{record("sleep 2000")}))
			}
		}},
		{"second-hello", "a second Hello", func(l *link) { l.send(l.workerHello()) }},
	} {
		list = append(list, check{"mistake-" + m.name, "ends the connection after " + m.what, func(s *session) {
			l := s.open()
			m.send(l)
			l.closes()
			s.replaced()
		}})
	}
	return list
}

// raw sends bytes as they are.
func raw(b ...byte) func(*link) { return func(l *link) { l.send(b) } }
