package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lineReader reads lines.
type lineReader struct {
	content *bufio.Reader
	path    string
	number  int // of the last line read, from 1
	// limit is the longest line in bytes; 0 is no limit.
	limit int
}

// Next returns the next line without its line end, a line feed or a carriage return and a
// line feed; the bytes belong to the caller. After the last line it returns io.EOF. A line
// end at the end of the file does not begin another line.
func (r *lineReader) Next() ([]byte, error) {
	var line []byte
	for {
		part, err := r.content.ReadSlice('\n')
		line = append(line, part...)
		if r.limit > 0 && len(line) > r.limit+len("\r\n") {
			return nil, &tooLongError{fmt.Sprintf("line %d of %s", r.number+1, r.path), r.limit}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("read %s after line %d: %w", r.path, r.number, err)
		}
		r.number++
		if trimmed, ended := bytes.CutSuffix(line, []byte("\n")); ended {
			line = bytes.TrimSuffix(trimmed, []byte("\r"))
		}
		return line, nil
	}
}

// tooLongError is the error of a line or a row that no record can hold.
type tooLongError struct {
	place string
	limit int
}

func (e *tooLongError) Error() string {
	return fmt.Sprintf("%s is longer than %d bytes", e.place, e.limit)
}
