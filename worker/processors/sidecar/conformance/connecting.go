package conformance

import (
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

var connecting = []check{
	{"hello", "speaks first, and speaks version 1", func(s *session) {
		l := s.open()
		l.expect(l.hello.MinVersion <= 1 && l.hello.MaxVersion >= 1, "the process speaks versions %d to %d", l.hello.MinVersion, l.hello.MaxVersion)
		l.expect(l.hello.SDK != "", "the ProcessHello has no sdk, which names the process in logs")
		l.expect(l.hello.PID > 0, "the ProcessHello has no pid, which names the process in logs")
	}},
	{"late-socket", "waits for a socket that is not there yet", func(s *session) {
		s.start(1)
		select {
		case <-s.ended:
			s.failf("the program ends because there is no socket yet")
		case <-time.After(time.Second):
		}
		s.listen()
		s.accept().greet(terms{})
	}},
	{"version", "ends with the worker's reason when no version fits", func(s *session) {
		const reason = "this worker speaks version 99 of the protocol"
		s.listen()
		s.start(1)
		l := s.accept()
		l.takeHello()
		l.send(frame.AppendClose(nil, reason))
		l.terms.maxFrame = frame.DefaultMaxBytes
		l.closes()
		s.replaced()
		s.expect(s.output.contains(reason), "the program does not write the reason that the worker gives")
	}},
	{"processes", "connects as often as MILLRACE_PROCESSES says", func(s *session) {
		s.listen()
		s.start(3)
		for range 3 {
			s.accept().greet(terms{})
		}
		for _, l := range s.links {
			l.wantEchoes(l.process("a", "b"))
		}
	}},
}
