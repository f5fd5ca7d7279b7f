package wire

import (
	"io"
	"time"
)

// writeAtOnce is how many bytes a watchedConn writes before it gives the broker more time.
const writeAtOnce = 256 << 10

// watchedConn is the connection of an Exchange whose Silence is bounded: each byte gives the
// broker more time.
type watchedConn struct {
	io.ReadWriter
	exchange *Exchange
	extended time.Time
}

// Read implements io.Reader.
func (c *watchedConn) Read(b []byte) (int, error) {
	c.extend()
	return c.ReadWriter.Read(b)
}

// Write implements io.Writer.
func (c *watchedConn) Write(b []byte) (written int, err error) {
	for written < len(b) && err == nil {
		c.extend()
		var n int
		n, err = c.ReadWriter.Write(b[written:min(written+writeAtOnce, len(b))])
		written += n
	}
	return written, err
}

// extend moves the deadline, unless it has moved just now.
func (c *watchedConn) extend() {
	if now := time.Now(); now.Sub(c.extended) > c.exchange.Silence/8 {
		c.extended = now
		c.exchange.extend(now.Add(c.exchange.Silence))
	}
}
