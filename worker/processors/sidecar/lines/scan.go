package lines

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scan reads the program's output until it ends, or can't be understood.
func (p *program) scan() {
	r := bufio.NewReaderSize(p.out, 64<<10)
	for {
		line, err := p.next(r)
		if err != nil {
			p.finish(err)
			return
		}
		select {
		case p.lines <- line:
		case <-p.killed:
			p.finish(errors.New("the program was ended"))
			return
		}
	}
}

// next returns the next line if the program owes one.
func (p *program) next(r *bufio.Reader) ([]byte, error) {
	line, err := p.readLine(r)
	switch {
	case errors.Is(err, io.EOF):
		return nil, p.exit()
	case err != nil:
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed--
	if p.owed < 0 || p.owed == 0 && r.Buffered() > 0 {
		return nil, fmt.Errorf("it writes more than one line for each line that it gets, such as %s", excerpt(line))
	}
	return line, nil
}

// finish ends the answers.
func (p *program) finish(why error) {
	p.why = why
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	close(p.lines)
	close(p.finished)
	p.noteIdle()
}

// noteIdle acts on the end of a process that owes no line. A process may end right after its
// last answer, so this happens when it ends and when its batch is finished.
func (p *program) noteIdle() {
	p.mu.Lock()
	first := p.over && p.asked == 0 && !p.idle
	p.idle = p.idle || first
	act := p.whenIdle
	p.mu.Unlock()
	if first && act != nil {
		act()
	}
}

// onIdle has f called when the process has ended while it owes no line.
func (p *program) onIdle(f func()) {
	p.mu.Lock()
	p.whenIdle = f
	idle := p.idle
	p.mu.Unlock()
	if idle {
		f()
	}
}

// isIdle reports whether the process has ended while it owed no line.
func (p *program) isIdle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}

// readLine returns the next line without its end, in its own memory.
func (p *program) readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
		case int64(len(line)) > p.limit.Load():
			return nil, fmt.Errorf("it writes a line of more than %d bytes", p.limit.Load())
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, io.EOF
		}
	}
}

// excerpt returns the beginning of a line, for a message.
func excerpt(line []byte) string {
	const most = 80
	if len(line) > most {
		return fmt.Sprintf("%q...", line[:most])
	}
	return fmt.Sprintf("%q", line)
}
