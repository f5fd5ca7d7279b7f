package proxy

import "net"

// answers forwards what the broker sends.
func (c *conn) answers(server net.Conn) {
	defer c.close()
	f := newFrames(answerHeader)
	w := cutter{to: c.client}
	lost := false
	c.each(c.pump(server), func(s *state, buf []byte) bool {
		if lost = lost || s.first(LoseAnswers) != nil; lost {
			return true
		}
		for len(buf) > 0 {
			var part []byte
			var begins bool
			part, buf, begins = f.next(buf)
			if begins {
				w.begin(c.cut(s, f))
			}
			w.add(part)
		}
		if w.flush() {
			return true
		}
		if w.fault != nil && w.fault.float() < 0.5 {
			c.reset(nil)
		}
		return false
	})
}

// cut returns the fault that ends the connection in the answer that begins, and how many
// bytes of the answer still get through. Without such a fault it returns nil.
func (c *conn) cut(s *state, f *frames) (*Injection, int) {
	api, known := c.asked.answered(f.correlation())
	for _, i := range s.faults {
		if !known || i.fault.Kind != CutAnswer && i.fault.Kind != DropAnswer || !i.request(api) {
			continue
		}
		i.hits.Add(1)
		if i.fault.Kind == DropAnswer {
			return i, 0
		}
		return i, 1 + int(i.float()*float64(f.size()-1))
	}
	return nil, 0
}

// cutter collects bytes to write, up to the point where a fault cuts them off.
type cutter struct {
	to    net.Conn
	buf   []byte
	fault *Injection // nil: nothing cuts
	keep  int        // the bytes that still get through, if fault is not nil
}

// begin starts an answer.
func (w *cutter) begin(fault *Injection, keep int) {
	if w.fault == nil {
		w.fault, w.keep = fault, keep
	}
}

func (w *cutter) add(part []byte) {
	if w.fault != nil {
		part = part[:min(w.keep, len(part))]
		w.keep -= len(part)
	}
	w.buf = append(w.buf, part...)
}

// flush writes the bytes of add. It reports false when they were the last, because of a
// fault or an error.
func (w *cutter) flush() bool {
	_, err := w.to.Write(w.buf)
	w.buf = w.buf[:0]
	return err == nil && (w.fault == nil || w.keep > 0)
}
