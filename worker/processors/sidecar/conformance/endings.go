package conformance

import (
	"syscall"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

var processes = []check{
	{"ping", "answers each Ping", func(s *session) {
		l := s.open()
		for id := uint64(1); id <= 3; id++ {
			l.send(frame.AppendPing(nil, id))
			for uint64(len(l.pongs)) < id {
				l.takeMessage()
			}
			l.expect(l.pongs[id-1] == id, "the process answers the Ping %d with the Pong %d", id, l.pongs[id-1])
		}
	}},
	{"drain", "answers a Drain when it has answered the batches before it", func(s *session) {
		l := s.open()
		b := l.sendBatch(record("sleep 200"))
		l.send(frame.AppendDrain(nil))
		for l.drained == 0 {
			l.takeMessage()
		}
		l.expect(b.left == 0, "the Drained comes before the results")
		l.send(frame.AppendDrain(nil))
		for l.drained < 2 {
			l.takeMessage()
		}
		l.wantEchoes(l.process("a"))
	}},
	{"crash", "replaces a process that ends, or ends itself", func(s *session) {
		l := s.open()
		l.sendBatch(record("exit"))
		l.closes()
		s.replaced()
	}},
	{"deadline", "gives up a batch whose connection the worker closes after its timeout", func(s *session) {
		l := s.open()
		l.sendBatchFor(200*time.Millisecond, record("sleep 3600000"))
		time.Sleep(200 * time.Millisecond)
		l.send(frame.AppendClose(nil, "the process took longer than the timeout of an attempt"))
		_ = l.stream.Close()
		s.replaced()
	}},
}

var endings = []check{
	{"close", "answers what it holds, closes the connection, and ends with exit code 0", func(s *session) {
		l := s.open()
		b := l.sendBatch(record("sleep 300"), record("a"))
		l.send(frame.AppendClose(nil, ""))
		l.await(b)
		l.one(b.results[1])
		l.closes()
		s.expect(s.code() == 0, "the exit code is %d", s.code())
	}},
	{"close-idle", "closes the connection when the worker does, and ends with exit code 0", func(s *session) {
		l := s.open()
		l.wantEchoes(l.process("a"))
		l.send(frame.AppendClose(nil, ""))
		l.closes()
		s.expect(s.code() == 0, "the exit code is %d", s.code())
	}},
	{"close-with-error", "writes the reason of a Close with an error, and ends with another exit code", func(s *session) {
		const reason = "batch 7 has a result too many"
		l := s.open()
		l.wantEchoes(l.process("a"))
		l.send(frame.AppendClose(nil, reason))
		l.closes()
		s.replaced()
		s.expect(s.output.contains(reason), "the program does not write the reason that the worker gives")
	}},
	{"worker-lost", "ends with another exit code when the worker is gone", func(s *session) {
		l := s.open()
		l.wantEchoes(l.process("a"))
		_ = l.stream.Close()
		s.replaced()
	}},
	{"sigterm", "answers what it holds at SIGTERM, sends a Close, and ends with exit code 0", func(s *session) {
		l := s.open()
		b := l.sendBatch(record("sleep 300"))
		l.send(frame.AppendPing(nil, 1))
		for len(l.pongs) == 0 {
			l.takeMessage() // the process has the batch, which came before the Ping
		}
		if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
			s.failf("send SIGTERM: %v", err)
		}
		l.await(b)
		for {
			kind, body := l.receive()
			if kind == frame.Close {
				reason, _ := frame.ParseClose(body)
				l.expect(reason == "", "the Close has the error %q", reason)
				break
			}
			l.act(kind, body)
		}
		_ = l.stream.Close()
		s.expect(s.code() == 0, "the exit code is %d", s.code())
	}},
}
