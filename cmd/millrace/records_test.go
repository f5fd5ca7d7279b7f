package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// readRecords reads all records of a file.
func readRecords(t *testing.T, from recordReader) []*kgo.Record {
	t.Helper()
	var all []*kgo.Record
	for {
		record, err := from.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, record)
	}
}

func header(key, value string) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(value)}
}

func TestRecordsOfEachFormat(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	for name, c := range map[string]struct {
		format, content string
		want            []*kgo.Record
	}{
		"json": {formatJSON, `{"key":"k","value":"v","headers":[{"key":"a","value":"1"},{"key":"a"}],"timestamp":"2023-11-14T22:13:20.123Z","partition":3,"topic":"t","offset":9}` + "\n" +
			`{"value":{"a": 1.50}}` + "\r\n" + `{"key":null,"valueBase64":"/wA="}` + "\n{}\n" + `{"value":"","timestamp":1700000000123,"headers":{"b":"2","a":"1"}}`, []*kgo.Record{
			{Partition: 3, Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{header("a", "1"), {Key: "a"}}, Timestamp: at},
			{Partition: anyPartition, Value: []byte(`{"a": 1.50}`)},
			{Partition: anyPartition, Value: []byte("\xff\x00")},
			{Partition: anyPartition},
			{Partition: anyPartition, Value: []byte{}, Timestamp: at, Headers: []kgo.RecordHeader{header("a", "1"), header("b", "2")}},
		}},
		"kcat": {formatKcat, `{"topic":"t","partition":2,"offset":7,"tstype":"create","ts":1700000000123,"broker":1,"headers":["a","1","b",null],"key":"k","payload":"v"}` + "\n" +
			`{"topic":"t","ts":-1,"key":null,"payload":null}`, []*kgo.Record{
			{Partition: 2, Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{header("a", "1"), {Key: "b"}}, Timestamp: at},
			{Partition: anyPartition},
		}},
		"csv": {formatCSV, "\xef\xbb\xbfid,note\r\n1,\"a \"\"b\"\"\r\nc\"\r\n2,<é>\n", []*kgo.Record{
			{Partition: anyPartition, Value: []byte(`{"id":"1","note":"a \"b\"\nc"}`)},
			{Partition: anyPartition, Value: []byte(`{"id":"2","note":"<é>"}`)},
		}},
		"empty csv": {formatCSV, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := readRecords(t, openFile(t, writeFile(t, "in", []byte(c.content)), c.format))
			if len(got) != len(c.want) {
				t.Fatalf("%d records, want %d", len(got), len(c.want))
			}
			for i, want := range c.want {
				if !got[i].Timestamp.Equal(want.Timestamp) {
					t.Errorf("record %d is of %v, want %v", i, got[i].Timestamp, want.Timestamp)
				}
				got[i].Timestamp = want.Timestamp
				if !reflect.DeepEqual(got[i], want) {
					t.Errorf("record %d is %+v, want %+v", i, got[i], want)
				}
			}
		})
	}
}

// TestWrongRecordsAreLocated: the error names the line and the mistake, in the user's words.
func TestWrongRecordsAreLocated(t *testing.T) {
	for content, want := range map[string]string{
		formatJSON + "\n{}\nno":                                 "line 2 of FILE: it is not JSON",
		formatJSON + "\n{\"value\": \"a":                        "line 1 of FILE: it is not JSON: it ends too early",
		formatJSON + "\n\n":                                     "line 1 of FILE: it is not JSON: it ends too early",
		formatJSON + "\n[]":                                     "it is a JSON array: it must be an object",
		formatJSON + "\n{} {}":                                  "there is more after the JSON object",
		formatJSON + "\n{\"vlaue\": 1}":                         `unknown field "vlaue": the fields are partition, timestamp, key`,
		formatJSON + "\n{\"partition\": \"a\"}":                 "partition: it must not be a JSON string",
		formatJSON + "\n{\"partition\": -1}":                    "partition: it must not be negative",
		formatJSON + "\n{\"timestamp\": \"now\"}":               `timestamp: "now" is neither a time like`,
		formatJSON + "\n{\"key\":\"a\",\"keyBase64\":\"YQ==\"}": "key: it stands there twice",
		formatKcat + "\n{\"headers\":[\"a\"]}":                  "headers: a name has no value",
		formatKcat + "\n{\"ts\":\"a\"}":                         "ts: it must not be a JSON string",
		formatCSV + "\na,a\n1,2":                                `line 1 of FILE: column 2 is called "a"`,
		formatCSV + "\na,b\n1":                                  "wrong number of fields",
		formatCSV + "\na\n\xff":                                 `line 2 of FILE: column "a" is not in UTF-8`,
	} {
		format, content, _ := strings.Cut(content, "\n")
		path := writeFile(t, "in", []byte(content))
		records, err := openFile(t, path, format), error(nil)
		for err == nil {
			_, err = records.Next(t.Context())
		}
		if message := strings.ReplaceAll(err.Error(), path, "FILE"); !strings.Contains(message, want) {
			t.Errorf("%s %q: %s, want %s", format, content, message, want)
		}
	}
}

// TestRecordsThatAreTooLong: a line without an end does not fill the memory.
func TestRecordsThatAreTooLong(t *testing.T) {
	for _, format := range inputFormats {
		content := io.MultiReader(strings.NewReader("\"a\"\n\""), &endless{most: 64 << 20})
		records := newRecords(bufio.NewReader(content), closers{}, "FILE", format)
		records.Limit(1000)
		var err error
		for err == nil {
			_, err = records.Next(t.Context())
			if format == formatJSON || format == formatKcat {
				if err != nil && strings.Contains(err.Error(), "line 1") {
					err = nil // the first line is none of this format
				}
			}
		}
		if _, ok := errors.AsType[*tooLongError](err); !ok || !strings.HasSuffix(err.Error(), "is longer than 1000 bytes") {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// endless returns the same byte again and again, and fails when that goes on for too long.
type endless struct{ read, most int }

func (e *endless) Read(p []byte) (int, error) {
	if e.read += len(p); e.read > e.most {
		return 0, errors.New("all of it was read")
	}
	return copy(p, bytes.Repeat([]byte("a"), len(p))), nil
}

// TestEnvelopesAreReadAgain: what the format "json" writes, it reads.
func TestEnvelopesAreReadAgain(t *testing.T) {
	for _, want := range []*kgo.Record{
		{Topic: "t", Partition: 3, Offset: 7, Key: []byte("k"), Value: []byte(`{"a":"<b>"}`), Headers: []kgo.RecordHeader{header("h", "1"), header("h", ""), {Key: "n"}}, Timestamp: time.UnixMilli(1_700_000_000_123)},
		{Topic: "t", Key: []byte{}, Value: []byte{}, Timestamp: time.UnixMilli(0)},
		{Topic: "t", Key: []byte("\xff"), Value: []byte("\x00\xfe"), Headers: []kgo.RecordHeader{header("b", "\xff")}, Timestamp: time.UnixMilli(1)},
		{Topic: "t", Timestamp: time.UnixMilli(2)},
	} {
		var out bytes.Buffer
		if err := writeEnvelope(&out, want); err != nil {
			t.Fatal(err)
		}
		if strings.Count(out.String(), "\n") != 1 || strings.Contains(out.String(), `\u003c`) {
			t.Errorf("wrote %q", out.String())
		}
		got, err := parseEnvelope(bytes.TrimSpace(out.Bytes()))
		if err != nil {
			t.Fatalf("%s: %v", out.String(), err)
		}
		if !got.Timestamp.Equal(want.Timestamp) {
			t.Errorf("%s: of %v", out.String(), got.Timestamp)
		}
		got.Topic, got.Offset, got.Timestamp = want.Topic, want.Offset, want.Timestamp
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v", out.String(), got)
		}
	}
}
