package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// csvReader reads a record from each row of a CSV file: a JSON object, whose members have
// the names in the file's first row.
type csvReader struct {
	rows    *csv.Reader
	bounded *boundedReader
	path    string
	columns []json.RawMessage // the columns' names as JSON; nil before the first row
	line    int               // of the last row
	io.Closer
}

func newCSVReader(content io.Reader, file io.Closer, path string) *csvReader {
	bounded := &boundedReader{from: content}
	rows := csv.NewReader(bounded)
	rows.ReuseRecord = true
	return &csvReader{rows: rows, bounded: bounded, path: path, Closer: file}
}

// Next implements recordReader.
func (r *csvReader) Next(context.Context) (*kgo.Record, error) {
	if r.columns == nil {
		if err := r.readColumns(); err != nil {
			return nil, err
		}
	}
	row, err := r.read()
	if err != nil {
		return nil, err
	}
	var value bytes.Buffer
	for i, field := range row {
		text, other := textOf([]byte(field))
		if other != nil {
			return nil, fmt.Errorf("%s: column %s is not in UTF-8", r.Place(), r.columns[i])
		}
		value.WriteByte("{,"[min(i, 1)])
		value.Write(r.columns[i])
		value.WriteByte(':')
		value.Write(text)
	}
	value.WriteByte('}')
	return &kgo.Record{Partition: anyPartition, Value: value.Bytes()}, nil
}

func (r *csvReader) readColumns() error {
	row, err := r.read()
	if err != nil {
		return err
	}
	for i, name := range row {
		if name == "" || slices.Contains(row[:i], name) {
			return fmt.Errorf("%s: column %d is called %q: each column needs a name of its own in the first row", r.Place(), i+1, name)
		}
		text, other := textOf([]byte(name))
		if other != nil {
			return fmt.Errorf("%s: the name of column %d is not in UTF-8", r.Place(), i+1)
		}
		r.columns = append(r.columns, text)
	}
	return nil
}

func (r *csvReader) read() ([]string, error) {
	r.bounded.reset()
	row, err := r.rows.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, errTooLong):
		return nil, &tooLongError{fmt.Sprintf("the row after line %d of %s", r.line, r.path), r.bounded.limit}
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", r.path, err)
	}
	r.line, _ = r.rows.FieldPos(0)
	return row, nil
}

// Place implements recordReader.
func (r *csvReader) Place() string { return fmt.Sprintf("line %d of %s", r.line, r.path) }

// Limit implements recordReader.
func (r *csvReader) Limit(bytes int) { r.bounded.limit = bytes }

// errTooLong is the error of a boundedReader.
var errTooLong = errors.New("too long")

// readAhead is what a csv.Reader may read beyond a row.
const readAhead = 64 << 10

// boundedReader returns errTooLong when more than a limit is read after a reset.
type boundedReader struct {
	from  io.Reader
	limit int // 0 is no limit
	read  int
}

func (r *boundedReader) reset() { r.read = 0 }

// Read implements io.Reader.
func (r *boundedReader) Read(p []byte) (int, error) {
	if r.limit > 0 && r.read > r.limit+readAhead {
		return 0, errTooLong
	}
	n, err := r.from.Read(p)
	r.read += n
	return n, err
}
