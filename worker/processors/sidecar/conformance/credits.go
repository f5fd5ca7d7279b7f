package conformance

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// settling is how long a check waits for a message that must not come.
const settling = 300 * time.Millisecond

var credits = []check{
	{"batch-credit", "gives credit back for each batch", func(s *session) {
		l := s.open()
		first := l.credit
		for i := range 100 {
			l.wantEchoes(l.process(fmt.Sprint(i)))
		}
		for l.credit < first {
			l.takeMessage()
		}
	}},
	{"pipelining", "takes as many batches as it gives credit for, and answers them in any order", func(s *session) {
		l := s.open()
		for range 20 {
			for l.credit == 0 {
				l.takeMessage()
			}
			var sent []*batch
			for l.credit > 0 {
				sent = append(sent, l.sendBatch(record("sleep 1"), record(fmt.Sprint(len(sent)))))
				l.expect(len(sent) <= 10_000, "the process gives credit for more than 10,000 batches at a time")
			}
			for _, b := range sent {
				l.await(b)
				l.expect(string(l.one(b.results[1]).Value) == string(b.records[1].Value), "a batch has the results of another one")
			}
		}
	}},
	{"byte-credit", "sends no more bytes than it has credit for, and goes on when it gets more", func(s *session) {
		l := s.openWith(terms{maxFrame: 64 << 10, keepCredit: true})
		var sent []*batch
		for range 8 {
			for l.credit == 0 {
				if !l.takeMessageOrBytes() {
					l.giveBytes()
				}
			}
			sent = append(sent, l.sendBatch(record("large 20000")))
		}
		for l.takeMessageOrBytes() {
		}
		l.send(frame.AppendPing(nil, 9))
		for len(l.pongs) == 0 {
			l.takeMessage() // an answer without credit for bytes
		}
		l.terms.keepCredit = false
		l.giveBytes()
		for _, b := range sent {
			l.expect(len(l.one(l.await(b).results[0]).Value) == 20_000, "a result has another length")
		}
	}},
}

// takeMessageOrBytes takes a message. It returns false if none comes for a moment: a process
// that has no credit for bytes waits.
func (l *link) takeMessageOrBytes() bool {
	kind, body, err := l.tryReceive(settling)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return false
	case err != nil:
		l.failf("the process ends the connection: %v", err)
	}
	l.act(kind, body)
	return true
}
