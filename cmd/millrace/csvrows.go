package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvSlack is how many bytes a row of CSV may hold beyond the greatest record: the columns
// that are no part of one.
const csvSlack = 64 << 10

// csvRows reads the rows of a CSV file as RFC 4180 describes them, and rows that end in a
// line feed alone. In contrast to encoding/csv it changes no line end within quotes, and
// tells an empty field from one with empty quotes.
type csvRows struct {
	content *bufio.Reader
	path    string
	start   int // the line in which the last row begins, from 1
	lines   int // line ends read
	limit   int // the greatest size of a record in bytes; 0 is no limit
	row     csvRow
}

// csvRow is a row while it is read.
type csvRow struct {
	content []byte // of all fields, without quotes
	fields  []csvField
}

// csvField is a part of a row's content.
type csvField struct {
	begin, end int
	quoted     bool
}

// csvEnd is what follows a field.
type csvEnd int

const (
	endOfField csvEnd = iota
	endOfRow
	endOfFile
)

// text returns the content of a field.
func (r *csvRow) text(field int) []byte {
	f := r.fields[field]
	return r.content[f.begin:f.end:f.end]
}

// isNull reports whether nothing stands in the place of a field, not even quotes.
func (r *csvRow) isNull(field int) bool {
	f := r.fields[field]
	return f.begin == f.end && !f.quoted
}

// Next returns the next row, whose content belongs to the caller, and io.EOF after the
// last. It passes empty lines.
func (r *csvRows) Next() (*csvRow, error) {
	for {
		r.row = csvRow{content: make([]byte, 0, len(r.row.content)), fields: r.row.fields[:0]}
		r.start = r.lines + 1
		end, err := r.readFields()
		if err != nil {
			return nil, err
		}
		if len(r.row.fields) > 1 || !r.row.isNull(0) {
			return &r.row, nil
		}
		if end == endOfFile {
			return nil, io.EOF
		}
	}
}

func (r *csvRows) readFields() (end csvEnd, err error) {
	for end == endOfField {
		begin, quoted := len(r.row.content), false
		if end, quoted, err = r.readField(); err != nil {
			return 0, err
		}
		r.row.fields = append(r.row.fields, csvField{begin, len(r.row.content), quoted})
	}
	return end, nil
}

func (r *csvRows) readField() (end csvEnd, quoted bool, err error) {
	switch first, err := r.content.Peek(1); {
	case errors.Is(err, io.EOF):
		return endOfFile, false, nil
	case err != nil:
		return 0, false, r.unreadable(err)
	case first[0] == '"':
		_, _ = r.content.Discard(1)
		end, err = r.readQuoted()
		return end, true, err
	default:
		end, err = r.readBare()
		return end, false, err
	}
}

// readBare reads a field without quotes.
func (r *csvRows) readBare() (csvEnd, error) {
	begin := len(r.row.content)
	for {
		b, end, err := r.readByte()
		switch {
		case err != nil || end == endOfFile:
			return end, err
		case b == ',':
			return endOfField, nil
		case b == '\n':
			r.row.content = append(r.row.content[:begin], bytes.TrimSuffix(r.row.content[begin:], []byte("\r"))...)
			return endOfRow, nil
		case b == '"':
			return 0, r.wrong("a quote within a field that has none at its start: put the whole field in quotes, and write each quote in it twice")
		}
		if err := r.add(b); err != nil {
			return 0, err
		}
	}
}

// readQuoted reads a field after its opening quote.
func (r *csvRows) readQuoted() (csvEnd, error) {
	opened := r.lines + 1
	for {
		b, end, err := r.readByte()
		switch {
		case err != nil:
			return 0, err
		case end == endOfFile:
			return 0, r.wrong(fmt.Sprintf("the quotes that open in line %d don't close", opened))
		case b == '"':
			if next, _ := r.content.Peek(1); !bytes.Equal(next, []byte(`"`)) {
				return r.readClosed()
			}
			_, _ = r.content.Discard(1)
		}
		if err := r.add(b); err != nil {
			return 0, err
		}
	}
}

// readClosed reads what separates a field from the next, after its closing quote.
func (r *csvRows) readClosed() (csvEnd, error) {
	b, end, err := r.readByte()
	if b == '\r' && err == nil {
		b, end, err = r.readByte()
	}
	switch {
	case err != nil || end == endOfFile:
		return end, err
	case b == ',':
		return endOfField, nil
	case b == '\n':
		return endOfRow, nil
	default:
		return 0, r.wrong("there is more between the closing quote of a field and the next comma: write quotes within a field twice")
	}
}

// readByte reads one byte, or says that the file ends.
func (r *csvRows) readByte() (byte, csvEnd, error) {
	b, err := r.content.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return 0, endOfFile, nil
	case err != nil:
		return 0, 0, r.unreadable(err)
	case b == '\n':
		r.lines++
	}
	return b, endOfField, nil
}

// add adds a byte to the row's content.
func (r *csvRows) add(b byte) error {
	r.row.content = append(r.row.content, b)
	if r.limit > 0 && len(r.row.content) > r.limit+csvSlack {
		return &tooLongError{"the row in " + r.place(), r.limit}
	}
	return nil
}

func (r *csvRows) unreadable(err error) error {
	return fmt.Errorf("read %s after line %d: %w", r.path, r.lines, err)
}

func (r *csvRows) wrong(what string) error { return fmt.Errorf("%s: %s", r.place(), what) }

// place says where the last row begins.
func (r *csvRows) place() string { return fmt.Sprintf("line %d of %s", r.start, r.path) }
