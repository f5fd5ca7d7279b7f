package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/internal/envelope"
)

// A column of a CSV file whose name begins with csvPart holds a part of the record. The
// other columns are the members of a JSON object, which is the value.
const csvPart = "kafka."

// csvParts are the columns that the format "csv" writes, in this order.
var csvParts = []string{
	csvPart + "topic", csvPart + "partition", csvPart + "offset", csvPart + "timestamp",
	csvPart + "key", csvPart + "headers", csvPart + "value",
}

// csvReader reads a record from each row of a CSV file, whose first row names the columns.
type csvReader struct {
	rows    csvRows
	columns []csvColumn // nil before the first row
	io.Closer
}

// csvColumn is a column of a CSV file.
type csvColumn struct {
	name   string
	member json.RawMessage // the name in JSON; nil for a part of the record
}

func newCSVReader(content *bufio.Reader, file io.Closer, path string) *csvReader {
	return &csvReader{rows: csvRows{content: content, path: path}, Closer: file}
}

// Next implements recordReader.
func (r *csvReader) Next(context.Context) (*kgo.Record, error) {
	if r.columns == nil {
		if err := r.readColumns(); err != nil {
			return nil, err
		}
	}
	row, err := r.rows.Next()
	if err != nil {
		return nil, err
	}
	if len(row.fields) != len(r.columns) {
		return nil, r.wrong("it has %s, and the first row has %s", counted(len(row.fields), "field"), counted(len(r.columns), "column"))
	}
	return r.record(row)
}

func (r *csvReader) record(row *csvRow) (*kgo.Record, error) {
	record := &kgo.Record{Partition: anyPartition}
	var object []byte
	for i, column := range r.columns {
		if column.member == nil {
			if err := setPart(record, column.name, row, i); err != nil {
				return nil, r.wrong("column %s: %w", column.name, err)
			}
			continue
		}
		text, other := envelope.Text(row.text(i))
		if other != nil {
			return nil, r.wrong("column %s is not in UTF-8", column.member)
		}
		object = append(object, "{,"[min(len(object), 1)])
		object = append(append(append(object, column.member...), ':'), text...)
	}
	if object != nil {
		record.Value = append(object, '}')
	}
	return record, nil
}

// setPart sets a part of a record to the field of its column. Where a record was read has
// no effect on where it goes.
func setPart(record *kgo.Record, column string, row *csvRow, i int) (err error) {
	text := string(row.text(i))
	if row.isNull(i) {
		return nil
	}
	switch strings.TrimPrefix(column, csvPart) {
	case "key":
		record.Key = row.text(i)
	case "value":
		record.Value = row.text(i)
	case "partition":
		partition, err := strconv.ParseInt(text, 10, 32)
		if err != nil || partition < 0 {
			return fmt.Errorf("%q is no number of a partition", text)
		}
		record.Partition = int32(partition)
	case "timestamp":
		record.Timestamp, err = parseTime(text)
	case "headers":
		var headers envelope.Headers
		if err := recordGrammar.Decode(row.text(i), &headers); err != nil {
			return err
		}
		record.Headers, err = recordHeaders(headers)
	}
	return err
}

// parseTime takes the same times as envelope.Time.
func parseTime(text string) (time.Time, error) {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return envelope.Time(json.RawMessage(text))
	}
	quoted, _ := envelope.Text([]byte(text))
	return envelope.Time(quoted)
}

func (r *csvReader) readColumns() error {
	row, err := r.rows.Next()
	if err != nil {
		return err
	}
	var names []string
	for i := range row.fields {
		name := string(row.text(i))
		if name == "" || slices.Contains(names, name) {
			return r.wrong("column %d is called %q: the columns need different names in the first row", i+1, name)
		}
		names = append(names, name)
		member, other := envelope.Text([]byte(name))
		switch {
		case other != nil:
			return r.wrong("the name of column %d is not in UTF-8", i+1)
		case slices.Contains(csvParts, name):
			member = nil
		case strings.HasPrefix(name, csvPart):
			return r.wrong("column %d is called %q: names that begin with %s are for the parts of a record, %s", i+1, name, csvPart, strings.Join(csvParts, ", "))
		}
		r.columns = append(r.columns, csvColumn{name, member})
	}
	isMember := func(c csvColumn) bool { return c.member != nil }
	if i := slices.IndexFunc(r.columns, isMember); i >= 0 && slices.Contains(names, csvPart+"value") {
		return r.wrong("column %d is called %q, but %svalue holds the whole value: leave one of the two out", i+1, names[i], csvPart)
	}
	return nil
}

func (r *csvReader) wrong(format string, args ...any) error {
	return fmt.Errorf("%s: %w", r.Place(), fmt.Errorf(format, args...))
}

// Place implements recordReader.
func (r *csvReader) Place() string { return r.rows.place() }

// Limit implements recordReader.
func (r *csvReader) Limit(bytes int) { r.rows.limit = bytes }

// csvHead is the first row that the format "csv" writes.
var csvHead = strings.Join(csvParts, ",") + "\n"

// writeCSV writes a record as a row in the format "csv". Null is an empty field, and an
// empty key or value stands in quotes.
func writeCSV(out io.Writer, r *kgo.Record) error {
	var headers []byte
	if len(r.Headers) > 0 {
		var list bytes.Buffer
		if err := envelope.Encode(&list, headersOf(r)); err != nil {
			return err
		}
		headers = bytes.TrimSpace(list.Bytes())
	}
	var row []byte
	for i, field := range [][]byte{
		[]byte(r.Topic),
		strconv.AppendInt(nil, int64(r.Partition), 10),
		strconv.AppendInt(nil, r.Offset, 10),
		r.Timestamp.UTC().AppendFormat(nil, time.RFC3339Nano),
		r.Key, headers, r.Value,
	} {
		if i > 0 {
			row = append(row, ',')
		}
		row = appendField(row, field)
	}
	_, err := out.Write(append(row, '\n'))
	return err
}

// appendField appends a field of a CSV file, in quotes if it needs them.
func appendField(row, field []byte) []byte {
	if field == nil || len(field) > 0 && !bytes.ContainsAny(field, "\",\r\n") && len(bytes.TrimSpace(field)) == len(field) {
		return append(row, field...)
	}
	row = append(row, '"')
	row = append(row, bytes.ReplaceAll(field, []byte(`"`), []byte(`""`))...)
	return append(row, '"')
}
