package proxy

import "encoding/binary"

// The bytes at the start of a frame that say what it is. A request has its size, the
// API's key and version, and a correlation id; an answer its size and that id.
const (
	requestHeader = 12
	answerHeader  = 8
)

// frames follows the frames in one direction of a connection.
type frames struct {
	header []byte // of the frame that begins; complete at its capacity
	left   int    // bytes of the frame that follow its header
	lost   bool   // these are no frames: everything goes through
}

func newFrames(header int) *frames { return &frames{header: make([]byte, 0, header)} }

// next divides buf. It returns the bytes that belong together, and the rest. begins is
// true if the first of them start a frame; then f.header has its header, which part
// contains. A header that is not complete is kept back, and part is empty.
func (f *frames) next(buf []byte) (part, rest []byte, begins bool) {
	if f.lost {
		return buf, nil, false
	}
	if f.left > 0 {
		n := min(f.left, len(buf))
		f.left -= n
		return buf[:n], buf[n:], false
	}
	if len(f.header) == cap(f.header) {
		f.header = f.header[:0]
	}
	n := min(cap(f.header)-len(f.header), len(buf))
	f.header, rest = append(f.header, buf[:n]...), buf[n:]
	if len(f.header) < cap(f.header) {
		return nil, nil, false
	}
	f.left = f.size() - cap(f.header)
	f.lost = f.left < 0
	return f.header, rest, !f.lost
}

// size returns the size of the frame that the header begins, with the size field.
func (f *frames) size() int { return 4 + int(int32(binary.BigEndian.Uint32(f.header))) }

func (f *frames) api() int16 { return int16(binary.BigEndian.Uint16(f.header[4:])) }

// correlation returns the id that a request and its answer have in common.
func (f *frames) correlation() uint32 {
	return binary.BigEndian.Uint32(f.header[cap(f.header)-4:])
}
