package main

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The formats of --input-file and --output-file.
const (
	formatLines = "lines"
	formatJSON  = "json"
	formatCSV   = "csv"
	formatKcat  = "kcat"
)

var formats = []string{formatLines, formatJSON, formatCSV, formatKcat}

// anyPartition is the partition of a record that names none.
const anyPartition = -1

// recordReader reads the records to feed. One goroutine uses it.
type recordReader interface {
	// Next returns the next record, whose partition may be anyPartition, and io.EOF
	// after the last.
	Next(ctx context.Context) (*kgo.Record, error)
	// Place says where the last record was read, for errors.
	Place() string
	// Limit sets the greatest size of a record in bytes. Next returns an error for a
	// larger one, and does not hold it in memory.
	Limit(bytes int)
	io.Closer
}

// openRecords opens a file of --input-file.
func openRecords(path, format string) (recordReader, error) {
	content, file, err := openInput(path)
	if err != nil {
		return nil, err
	}
	if path == standardStream {
		path = "the standard input"
	}
	return newRecords(content, file, path, format), nil
}

func newRecords(content *bufio.Reader, file io.Closer, path, format string) recordReader {
	lines := &lineRecords{lines: lineReader{content: content, path: path}, Closer: file, parse: parseLine}
	switch format {
	case formatCSV:
		return newCSVReader(content, file, path)
	case formatJSON:
		lines.parse = parseEnvelope
	case formatKcat:
		lines.parse = parseKcat
	}
	return lines
}

// lineRecords reads a record from each line.
type lineRecords struct {
	lines lineReader
	parse func([]byte) (*kgo.Record, error)
	io.Closer
}

// Next implements recordReader.
func (r *lineRecords) Next(context.Context) (*kgo.Record, error) {
	line, err := r.lines.Next()
	if err != nil {
		return nil, err
	}
	record, err := r.parse(line)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Place(), err)
	}
	return record, nil
}

// Place implements recordReader.
func (r *lineRecords) Place() string {
	return fmt.Sprintf("line %d of %s", r.lines.number, r.lines.path)
}

// Limit implements recordReader.
func (r *lineRecords) Limit(bytes int) { r.lines.limit = bytes }

// parseLine makes a record of a line in the format "lines".
func parseLine(line []byte) (*kgo.Record, error) {
	return &kgo.Record{Partition: anyPartition, Value: line}, nil
}
