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
			`{"topic":"t","tstype":"unknown","ts":0,"partition":-1,"key":null,"payload":null}` + "\n" +
			`{"headers":{"b":["2",null],"a":["` + "\xff" + `"]},"key":7,"payload":{"a": 1.50},"value_schema_id":4}`, []*kgo.Record{
			{Partition: 2, Key: []byte("k"), Value: []byte("v"), Headers: []kgo.RecordHeader{header("a", "1"), {Key: "b"}}, Timestamp: at},
			{Partition: anyPartition},
			{Partition: anyPartition, Key: []byte("7"), Value: []byte(`{"a": 1.50}`), Headers: []kgo.RecordHeader{header("a", "\xff"), header("b", "2"), {Key: "b"}}},
		}},
		"csv": {formatCSV, "\xef\xbb\xbfid,note\r\n1,\"a \"\"b\"\"\r\nc\"\r\n2,<é>\n", []*kgo.Record{
			{Partition: anyPartition, Value: []byte(`{"id":"1","note":"a \"b\"\r\nc"}`)},
			{Partition: anyPartition, Value: []byte(`{"id":"2","note":"<é>"}`)},
		}},
		"empty csv": {formatCSV, "", nil},
		"csv with keys": {formatCSV, "kafka.key,id,kafka.timestamp,kafka.partition,kafka.headers\nk,1,1700000000123,3,\"{\"\"a\"\":\"\"1\"\"}\"\n\n,\"\",,,\n\"\",x y,2023-11-14T22:13:20.123Z,,", []*kgo.Record{
			{Partition: 3, Key: []byte("k"), Value: []byte(`{"id":"1"}`), Headers: []kgo.RecordHeader{header("a", "1")}, Timestamp: at},
			{Partition: anyPartition, Value: []byte(`{"id":""}`)},
			{Partition: anyPartition, Key: []byte{}, Value: []byte(`{"id":"x y"}`), Timestamp: at},
		}},
		"csv of whole values": {formatCSV, "kafka.value,kafka.topic\r\n\"\",t\n,t", []*kgo.Record{
			{Partition: anyPartition, Value: []byte{}},
			{Partition: anyPartition},
		}},
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
		formatJSON + "\n{}\nno":                                     "line 2 of FILE: it is not JSON",
		formatJSON + "\n{\"value\": \"a":                            "line 1 of FILE: it is not JSON: it ends too early",
		formatJSON + "\n\n":                                         "line 1 of FILE: it is not JSON: it ends too early",
		formatJSON + "\n[]":                                         "it is a JSON array: it must be an object",
		formatJSON + "\n{} {}":                                      "there is more after the JSON",
		formatJSON + "\n{\"vlaue\": 1}":                             `unknown field "vlaue": the fields are partition, timestamp, key, keyBase64, value, valueBase64 and headers; if each line is the value of a record, use --input-format lines`,
		formatJSON + "\n{\n\"value\": 1\n}":                         "line 1 of FILE: it is not JSON: it ends too early: one line must hold all of it",
		formatJSON + "\n{\"partition\": \"a\"}":                     "partition: it must not be a JSON string",
		formatJSON + "\n{\"partition\": -1}":                        "partition: it must not be negative",
		formatJSON + "\n{\"timestamp\": \"now\"}":                   `timestamp: "now" is neither a time like`,
		formatJSON + "\n{\"key\":\"a\",\"keyBase64\":\"YQ==\"}":     "key: it stands there twice",
		formatKcat + "\n{\"headers\":[\"a\"]}":                      "headers: a name has no value",
		formatKcat + "\n{\"ts\":\"a\"}":                             "ts: it must not be a JSON string",
		formatJSON + "\n{\"value\":\"a\xff\"}":                      "value: it is not in UTF-8: write it in base64",
		formatKcat + "\n{\"headers\":[1,\"a\"]}":                    "headers: 1 is no name: it must be text",
		formatKcat + "\n{\"headers\":[null,\"a\"]}":                 "headers: null is no name: it must be text",
		formatKcat + "\n{\"headers\":{\"a\":\"b\"}}":                "headers: the values of a name must be a list",
		formatKcat + "\n{\"headers\":\"a\"}":                        "headers: it must be a list of names and values",
		formatKcat + "\n{\"payload\":null,\"payload_error\":\"x\"}": "payload_error: kcat could not decode the value (x)",
		formatKcat + "\n{\"key\":null,\"key_error\":\"x\"}":         "key_error: kcat could not decode the key (x)",
		formatCSV + "\nkafka.kee\n1":                                `line 1 of FILE: column 1 is called "kafka.kee": names that begin with kafka. are for the parts of a record, kafka.topic, `,
		formatCSV + "\na,kafka.value\n1,2":                          `column 1 is called "a", but kafka.value holds the whole value`,
		formatCSV + "\nkafka.partition\n-1":                         `line 2 of FILE: column kafka.partition: "-1" is no number of a partition`,
		formatCSV + "\nkafka.timestamp\nnow":                        `column kafka.timestamp: timestamp: "now" is neither a time like`,
		formatCSV + "\nkafka.headers\nnow":                          "column kafka.headers: it is not JSON",
		formatCSV + "\na\n\n\"b\n\n":                                "line 3 of FILE: the quotes that open in line 3 don't close",
		formatCSV + "\na,b\n1,b\"c\"":                               "line 2 of FILE: a quote within a field that has none at its start",
		formatCSV + "\na\n\"b\"c":                                   "line 2 of FILE: there is more between the closing quote",
		formatCSV + "\na,a\n1,2":                                    `line 1 of FILE: column 2 is called "a"`,
		formatCSV + "\na,b\n1":                                      "line 2 of FILE: it has 1 field, and the first row has 2 columns",
		formatCSV + "\na\n\xff":                                     `line 2 of FILE: column "a" is not in UTF-8`,
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
	for _, format := range formats {
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

// TestFormatsAreReadAgain: what a format writes, it reads.
func TestFormatsAreReadAgain(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	want := []*kgo.Record{
		{Topic: "t", Partition: 3, Offset: 7, Key: []byte("k"), Value: []byte(`{"a":"<b>"}`), Headers: []kgo.RecordHeader{header("h", "1"), header("h", ""), {Key: "n"}}, Timestamp: at},
		{Topic: "t", Key: []byte{}, Value: []byte{}, Timestamp: time.UnixMilli(0)},
		{Topic: "t", Key: []byte("\xff"), Value: []byte("\x00\xfe\xffé\xc3"), Headers: []kgo.RecordHeader{header("b", "\xff")}, Timestamp: at},
		{Topic: "t", Timestamp: at},
		{Topic: "t", Key: []byte(`"`), Timestamp: at},
		{Topic: "t", Value: []byte("null"), Timestamp: at},
		{Topic: "t", Key: []byte("a,b\r\nc\rd\n"), Value: []byte(` "x" \ "" \u2028 😀` + "\u2028\t"), Headers: []kgo.RecordHeader{header(`q",`, "\r\n")}, Timestamp: at},
	}
	for _, name := range []string{formatJSON, formatCSV, formatKcat} {
		t.Run(name, func(t *testing.T) {
			format := formatOf(name)
			out := bytes.NewBufferString(format.head)
			for _, record := range want {
				if err := format.write(out, record); err != nil {
					t.Fatal(err)
				}
			}
			got := readRecords(t, newRecords(bufio.NewReader(bytes.NewReader(out.Bytes())), closers{}, "FILE", name))
			if len(got) != len(want) {
				t.Fatalf("%d records, want %d, in\n%s", len(got), len(want), out)
			}
			for i, record := range got {
				if !record.Timestamp.Equal(want[i].Timestamp) {
					t.Errorf("record %d is of %v", i, record.Timestamp)
				}
				record.Topic, record.Offset, record.Timestamp = want[i].Topic, want[i].Offset, want[i].Timestamp
				if !reflect.DeepEqual(record, want[i]) {
					t.Errorf("record %d is read as\n%+v, want\n%+v, in\n%s", i, record, want[i], out)
				}
			}
		})
	}
}

// TestFormatsAsOthersWriteThem: programs that read the formats find what they expect.
func TestFormatsAsOthersWriteThem(t *testing.T) {
	record := &kgo.Record{
		Topic: "t", Partition: 3, Offset: 7, Key: []byte("k"), Value: []byte(`{"a":"<b>"}`),
		Headers: []kgo.RecordHeader{header("h", "1"), {Key: "n"}}, Timestamp: time.UnixMilli(1_700_000_000_123),
	}
	for name, want := range map[string]string{
		formatLines: `{"a":"<b>"}` + "\n",
		formatJSON:  `{"topic":"t","partition":3,"offset":7,"timestamp":"2023-11-14T22:13:20.123Z","headers":[{"key":"h","value":"1"},{"key":"n","value":null}],"key":"k","value":"{\"a\":\"<b>\"}"}` + "\n",
		formatCSV: "kafka.topic,kafka.partition,kafka.offset,kafka.timestamp,kafka.key,kafka.headers,kafka.value\n" +
			`t,3,7,2023-11-14T22:13:20.123Z,k,"[{""key"":""h"",""value"":""1""},{""key"":""n"",""value"":null}]","{""a"":""<b>""}"` + "\n",
		formatKcat: `{"topic":"t","partition":3,"offset":7,"tstype":"create","ts":1700000000123,"broker":-1,"headers":["h","1","n",null],"key":"k","payload":"{\"a\":\"<b>\"}"}` + "\n",
	} {
		format := formatOf(name)
		out := bytes.NewBufferString(format.head)
		if err := format.write(out, record); err != nil || out.String() != want {
			t.Errorf("%s: wrote\n%s, want\n%s, error %v", name, out, want, err)
		}
	}
}
